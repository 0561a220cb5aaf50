/** A design: its script beside its structure, why it may not run, its credit, what the Designer was asked and replied. */
import type { CreditDocument, RunDocument } from '../../../activities/store/documents.ts';
import type { Question } from '../../../shared/domain/question.ts';
import { checkScript } from '../../../shared/script/check.ts';
import { designerMessages } from '../../../shared/script/designer-prompts.ts';
import { givenFact } from '../../inspect/design-node.ts';
import { clip, duration, fixed, signed } from '../../view/numbers.ts';
import { structureGraph } from '../charts/structure-graph.ts';
import { scriptView } from '../charts/syntax.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { DesignBranch } from '../read/question-data.ts';
import { pageHref } from './layout.ts';
import { facts, rewardMark, rewardStep, table, textBlock } from './parts.ts';

/** Scripts are short; one that is longer is the work of an attacker and is not coloured. */
const colouredCharacters = 20_000;

/** Script and structure of one design among others. */
export function designSummary({ design, credit, executions }: DesignBranch): Html {
  return html`<article class="design-card"><h2><a href="${pageHref(design._id)}">d-${design.design}</a> ${
    design.outcome === 'valid'
      ? clip(design.structure?.pattern ?? 'plain', 40)
      : html`<span class="bad">${design.outcome}</span>`
  } <span class="note">${creditLine(credit)}</span></h2>
<p>${executions.map(({ execution, verdict }) => html`<a class="cell ${rewardStep(verdict?.reward ?? null)}" href="${pageHref(execution._id)}" aria-label="execution ${execution.execution}: reward ${fixed(verdict?.reward)}">${rewardMark(verdict?.reward ?? null)}</a>`)}</p>
${scriptBesideStructure({ design })}</article>`;
}

function scriptBesideStructure({ design }: Pick<DesignBranch, 'design'>): Html {
  const { script, problem, reply } = design;
  const why =
    problem !== null &&
    html`<p class="bad">${problem.line !== null && `line ${problem.line}: `}${clip(problem.message, 1_000)}</p>`;
  if (script === null)
    return html`${why}<h3>Reply (it holds no script)</h3>${textBlock(reply, `/text/design/${design._id}`)}`;
  if (script.length > colouredCharacters) return html`${why}${textBlock(script, `/text/script/${design._id}`)}`;
  const { structure } = checkScript(script);
  return html`${why}<div class="beside"><div>${scriptView(script, problem?.line ?? null)}</div><div class="scroll graphs" tabindex="0" role="region" aria-label="structure">${
    structure === null ? html`<p class="none">the script does not parse</p>` : structureGraph(structure)
  }</div></div>`;
}

export function designPanel(run: RunDocument, branch: DesignBranch, question: Question | null): Html {
  const { design, credit, executions } = branch;
  return html`${creditFacts(credit, null)}
${scriptBesideStructure(branch)}
${executions.length > 0 && executionTable(branch)}
${design.writtenBy === 'system' ? facts([givenFact]) : promptAndReply(run, design, question)}`;
}

function promptAndReply(run: RunDocument, design: DesignBranch['design'], question: Question | null): Html {
  const { sampling, seedKey } = design;
  const prompt =
    question === null ? [] : designerMessages(question.text, run.recipe.prompts.form, run.recipe.designs.tools);
  return html`<h2>Prompt and reply</h2>
${prompt.map(({ role, content }) => html`<h3>${role}</h3>${textBlock(content, `/text/designer/${design._id}`, 2_000)}`)}
<h3>reply <span class="note">${design.promptTokens} → ${design.responseTokens} tokens, ended by ${design.finishReason}</span></h3>
${textBlock(design.reply, `/text/design/${design._id}`)}
${facts([
  ['sampled by', `v${design.policyVersion} (${design.part})`],
  [
    'settings',
    `temperature ${sampling.temperature}, top-p ${sampling.topP}, top-k ${sampling.topK}, at most ${sampling.maxTokens} tokens`,
  ],
  ['seed', html`<code>${seedKey}</code>`],
])}`;
}

export const creditLine = (credit: CreditDocument | null): string =>
  credit === null
    ? 'no credit'
    : `reward ${fixed(credit.reward)} − baseline ${fixed(credit.baseline)} → advantage ${signed(credit.advantage)}`;

/** Reward, baseline and advantage as one reads them: what was earned, what was expected, what the gradient sees. */
export function creditFacts(credit: CreditDocument | null, reward: number | null): Html {
  if (credit === null)
    return facts([
      ['reward', fixed(reward)],
      ['advantage', 'none: not a training batch, or not credited yet'],
    ]);
  return facts([
    ['reward', fixed(credit.reward)],
    ['baseline', fixed(credit.baseline)],
    [
      'advantage',
      html`<b class="${credit.advantage > 0 ? 'good' : credit.advantage < 0 ? 'bad' : ''}">${signed(credit.advantage)}</b>`,
    ],
    ['group', `${credit.groupSize} of ${credit.group}`],
  ]);
}

function executionTable({ executions }: DesignBranch): Html {
  const columns = ['execution', 'outcome', 'answer', 'right', 'reward', 'advantage', 'calls', 'tokens', 'time'];
  return html`<h2>Executions</h2>${table(
    'executions',
    columns.map((title, index) => ({ title, number: index > 3 })),
    executions.map(({ execution, verdict, credit }) => [
      html`<a href="${pageHref(execution._id)}">e-${execution.execution}</a>`,
      execution.outcome,
      clip(execution.reply?.answer ?? '–', 60),
      verdict?.verdict == null ? '–' : verdict.verdict.correct ? 'yes' : 'no',
      fixed(verdict?.reward),
      signed(credit?.advantage),
      execution.usage.calls,
      execution.usage.responseTokens,
      duration(execution.durationMs),
    ]),
  )}`;
}
