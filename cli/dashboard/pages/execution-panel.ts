/** An execution: its verdict, how its reward is made, its credit, and how it ran. */
import type { CallDocument, VerdictDocument } from '../../../activities/store/documents.ts';
import type { StructureTrace } from '../../../shared/script/trace.ts';
import { clip, duration, fixed } from '../../view/numbers.ts';
import { traceGraph } from '../charts/structure-graph.ts';
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';
import type { ExecutionBranch } from '../read/question-data.ts';
import { creditFacts } from './design-panel.ts';
import { pageHref } from './layout.ts';
import { facts, status, textBlock } from './parts.ts';
import { testsText } from '../../inspect/tests-text.ts';

/** `branch` null: the execution has not ended, its calls are all there is. */
export function executionPanel(id: string, branch: ExecutionBranch | null, calls: readonly CallDocument[]): Html {
  if (branch === null) return html`<p>${status('running')} the execution has not ended</p>`;
  const { execution, verdict, credit } = branch;
  const { usage, reply, problem } = execution;
  return html`${creditFacts(credit, verdict?.reward ?? null)}
${facts([
  ['outcome', execution.outcome],
  ['answer', reply?.answer == null ? null : clip(reply.answer, 300)],
  ['verdict', verdict === null ? 'not judged yet' : verdictWords(verdict)],
  ['reward terms', verdict !== null && verdict.terms.map(({ term, value }) => `${term} ${fixed(value)}`).join(' + ')],
  ['problem', problem !== null && html`<span class="bad">${clip(problem.message, 1_000)}</span>`],
  [
    'used',
    `${usage.calls} calls, ${usage.promptTokens} prompt and ${usage.responseTokens} response tokens, ${duration(execution.durationMs)}`,
  ],
  ['from the journal', execution.replayedCalls > 0 && `${execution.replayedCalls} calls`],
])}
${reply !== null && html`<h3>Final reply</h3>${textBlock(reply.text, `/text/execution/${id}`)}`}
${runShape(execution.trace, calls)}`;
}

function verdictWords({ verdict, tier, code }: VerdictDocument): Part {
  if (verdict === null) return 'no reply to judge';
  const word = verdict.correct ? html`<b class="good">right</b>` : html`<b class="bad">wrong</b>`;
  return html`${word} (${clip(code === undefined ? verdict.how : testsText(code), 400)}${tier !== null && `, sandbox tier ${tier}`})`;
}

/** Traces come from the isolate and are checked in form only. */
function runShape(trace: unknown, calls: readonly CallDocument[]): Html | null {
  const shape = trace as Partial<StructureTrace> | null;
  if (!Array.isArray(shape?.nodes) || !Array.isArray(shape.calls) || shape.calls.length === 0) return null;
  const hrefs = new Map(calls.map(({ _id, call }) => [call, pageHref(_id)]));
  return html`<h2>As it ran</h2><div class="scroll graphs" tabindex="0" role="region" aria-label="calls as a graph">${traceGraph(shape as StructureTrace, hrefs)}</div>`;
}
