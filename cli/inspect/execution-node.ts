/** One execution with its calls, verdict, reward terms and credit; and one call in full. */
import { renderTraceText } from '../../shared/script/render.ts';
import type { StructureTrace } from '../../shared/script/trace.ts';
import type { CallDocument, VerdictDocument } from '../../activities/store/documents.ts';
import { DomainError } from '../../shared/errors.ts';
import { duration, fixed } from '../view/numbers.ts';
import { renderFacts } from '../view/table.ts';
import { creditText, questionFacts } from './design-node.ts';
import type { InspectContext, Inspection } from './inspection.ts';
import { quoted, withoutPacked } from './inspection.ts';
import { readQuestion } from './questions-of.ts';
import type { Target } from './target.ts';
import { testsText } from './tests-text.ts';

type At<Level extends Target['level']> = Extract<Target, { level: Level }>;

/** Throws `NotFound` where there is no such execution. */
export async function inspectExecution(context: InspectContext, target: At<'execution'>): Promise<Inspection> {
  const { store, paint } = context;
  const id = target.execution;
  const [execution, calls, verdict, credit] = await Promise.all([
    store.executions.findOne({ _id: id }),
    store.calls.find({ executionId: id }, { projection: withoutPacked }).toArray(),
    store.verdicts.findOne({ _id: id }),
    store.credits.findOne({ _id: id }),
  ]);
  if (execution === null && calls.length === 0) {
    throw new DomainError('NotFound', `there is no execution '${id}'; see: npx metaagentx inspect ${target.design}`, {
      id,
    });
  }
  calls.sort((a, b) => a.call - b.call);
  const question = execution === null ? null : await readQuestion(context, target, execution.question);
  const usage = execution?.usage;
  return {
    data: { execution: execution ?? { _id: id, outcome: 'in progress' }, question, calls, verdict, credit },
    lines: [
      `${paint.bold(id)}  ${execution?.outcome ?? 'in progress'}`,
      ...(execution === null ? [] : questionFacts(question, context)),
      '',
      ...renderFacts([
        ['answer', execution?.reply?.answer ?? null],
        ['verdict', verdict === null ? 'not judged' : verdictText(verdict)],
        [
          'terms',
          verdict === null ? null : verdict.terms.map(({ term, value }) => `${term} ${fixed(value)}`).join(' + '),
        ],
        ['credit', creditText(credit, verdict?.reward ?? null)],
        ['problem', execution?.problem == null ? null : execution.problem.message],
        [
          'used',
          usage === undefined
            ? null
            : `${usage.calls} calls, ${usage.promptTokens} prompt and ${usage.responseTokens} response tokens, ${duration(execution?.durationMs ?? 0)}${execution?.replayedCalls ? `, ${execution.replayedCalls} calls from the journal` : ''}`,
        ],
      ]),
      ...traceLines(context, execution?.trace as StructureTrace | undefined),
      ...calls.flatMap((call) => ['', ...callLines(context, call)]),
    ],
    children: calls.map(({ _id, agentName }) => ({ path: _id, label: agentName })),
  };
}

function verdictText({ verdict, reward, tier, code }: VerdictDocument): string {
  if (verdict === null) return `no reply to judge, reward ${fixed(reward)}`;
  const where = tier === null ? '' : `, sandbox tier ${tier}`;
  const how = code === undefined ? verdict.how : testsText(code);
  return `${verdict.correct ? 'right' : 'wrong'} (${how}${where}), reward ${fixed(reward)}`;
}

function traceLines(context: InspectContext, trace: StructureTrace | undefined): string[] {
  if (trace === undefined || !Array.isArray(trace.nodes) || trace.nodes.length === 0) return [];
  return ['', context.paint.bold('as it ran'), ...quoted(renderTraceText(trace), context)];
}

function callLines(context: InspectContext, call: CallDocument): string[] {
  const { paint } = context;
  const { call: number, agentName, agentPart, nodePath, messages, answer, policyVersion } = call;
  const tokens = answer.responseTokens === 0 ? '' : `, ${answer.promptTokens} → ${answer.responseTokens} tokens`;
  return [
    `${paint.bold(`call ${number}`)}  ${agentName}${agentPart === null || agentPart === 'agent' ? '' : ` as ${agentPart}`} ${paint.dim(`(${nodePath}, v${policyVersion ?? '–'}${tokens}, ${answer.status})`)}`,
    ...(messages ?? []).flatMap(({ role, content }) => [paint.dim(`  ${role}`), ...quoted(content, context)]),
    paint.dim('  reply'),
    ...quoted(answer.text, context),
  ];
}

/** Throws `NotFound` where there is no such call. */
export async function inspectCall(context: InspectContext, target: At<'call'>): Promise<Inspection> {
  const { store, paint } = context;
  const call = await store.calls.findOne({ _id: target.call }, { projection: withoutPacked });
  if (call === null) {
    throw new DomainError(
      'NotFound',
      `there is no call '${target.call}'; see: npx metaagentx inspect ${target.execution}`,
      { id: target.call },
    );
  }
  const { sampling } = call;
  return {
    data: { call },
    lines: [
      paint.bold(target.call),
      ...renderFacts([
        ['seed', call.seedKey ?? null],
        [
          'settings',
          sampling === undefined
            ? null
            : `temperature ${sampling.temperature}, top-p ${sampling.topP}, top-k ${sampling.topK}, at most ${sampling.maxTokens} tokens`,
        ],
        ['ended by', call.finishReason ?? null],
        ['answer', call.answer.answer],
        ['hash', call.hash],
      ]),
      '',
      ...callLines({ ...context, full: true }, call),
    ],
    children: [],
  };
}
