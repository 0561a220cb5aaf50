/** An iteration, an evaluation or a solved question: questions × designs × executions as a heat map of rewards. */
import type { EvaluationDocument, IterationDocument } from '../../../activities/store/documents.ts';
import type { Store } from '../../../activities/store/connect.ts';
import { policyVersionName } from '../../../shared/domain/ids.ts';
import { clip, counted, fixed, moment, percent } from '../../view/numbers.ts';
import type { BatchTarget } from '../../inspect/target.ts';
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';
import type { BatchData, GridDesign, GridQuestion } from '../read/batch-data.ts';
import type { RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { creditWords, facts, rewardMark, rewardStep, status } from './parts.ts';
import { besideIteration } from './run-page.ts';

interface BatchRecords {
  iteration: IterationDocument | null;
  evaluation: EvaluationDocument | null;
}

/** The document that says that the batch is whole; both null while it is in progress. */
export async function readBatchRecords(store: Store, { batch, batchId }: BatchTarget): Promise<BatchRecords> {
  return {
    iteration: batch.kind === 'iteration' ? await store.iterations.findOne({ _id: batchId }) : null,
    evaluation: batch.kind === 'evaluation' ? await store.evaluations.findOne({ _id: batchId }) : null,
  };
}

export function batchPage(run: RunData['run'], target: BatchTarget, data: BatchData, records: BatchRecords): Page {
  const { batch, batchId } = target;
  const done = records.iteration !== null || records.evaluation !== null || batch.kind === 'solve';
  const beside = (step: 1 | -1) =>
    batch.kind === 'iteration' ? besideIteration(run, batch.stage, batch.iteration, step) : null;
  return {
    title: batchId,
    path: batchId,
    workflowId: batchId,
    ...(done ? {} : { live: batchId }),
    previous: beside(-1),
    next: beside(1),
    body: html`<h1>${titleOf(target, records)} ${!done && status('running')}</h1>
${head(data, records)}
<section id="grid"><h2>Rewards</h2>
<p class="note">A row is a question, a box a design, a square an execution with its reward. ${scale}</p>
${heatMap(data)}</section>`,
  };
}

function titleOf({ batch }: BatchTarget, { iteration }: BatchRecords): string {
  if (batch.kind === 'iteration') {
    const learned = iteration === null ? '' : `: the ${iteration.learner} learned`;
    return `Stage ${batch.stage}, iteration ${batch.iteration}${learned}`;
  }
  return batch.kind === 'evaluation' ? `Evaluation ${batch.name}` : `Solved: ${batch.name}`;
}

const scale: Html = html`Reward <span class="cell r0">0</span> to <span class="cell r9">1</span>; <span class="cell open">·</span> not judged yet.`;

function head({ questions, policyVersion }: BatchData, { iteration, evaluation }: BatchRecords): Html {
  const designs = questions.flatMap((question) => question.designs);
  const executions = designs.flatMap((design) => design.executions);
  const judged = executions.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const interval = evaluation?.intervals?.average;
  return html`<div id="head">${facts([
    ['policy', policyLine(policyVersion, iteration)],
    [
      'avg@k',
      evaluation === null
        ? null
        : `${percent(evaluation.metrics.average)}${interval == null ? '' : ` (95 % interval ${percent(interval[0])} to ${percent(interval[1])})`} with k = ${evaluation.samples}`,
    ],
    ['questions', questions.length],
    ['designs', `${designs.filter(({ outcome }) => outcome === 'valid').length} valid of ${designs.length}`],
    ['executions', executions.length],
    [
      'mean of executions',
      judged.length === 0 ? '–' : fixed(judged.reduce((sum, reward) => sum + reward, 0) / judged.length),
    ],
    ['committed', iteration === null ? null : moment(iteration.createdAt)],
    ['metrics', metricsOf(iteration?.metrics ?? evaluation?.metrics)],
  ])}</div>`;
}

const policyLine = (sampled: number | null, iteration: IterationDocument | null): Part =>
  iteration === null
    ? sampled !== null && `sampled by ${policyVersionName(sampled)}`
    : `${policyVersionName(iteration.policyIn)} → ${policyVersionName(iteration.policyOut)}`;

const metricsOf = (metrics: Readonly<Record<string, number>> | undefined): Part =>
  metrics !== undefined &&
  html`<details><summary>${counted(Object.keys(metrics).length, 'number')}</summary>${facts(
    Object.entries(metrics).map(([name, value]) => [name, String(Number(value.toPrecision(5)))] as const),
  )}</details>`;

function heatMap({ questions }: BatchData): Html {
  if (questions.length === 0) return html`<p class="none">nothing was sampled yet</p>`;
  const designs = Math.max(...questions.map((question) => question.designs.length));
  const columns = Array.from({ length: designs }, (_, index) => index);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="rewards by question, design and execution"><table class="heat">
<thead><tr><th scope="col">question</th>${columns.map((index) => html`<th scope="col">d-${index}</th>`)}<th scope="col" class="number">mean</th></tr></thead>
<tbody>${questions.map((question) => questionRow(question, columns))}</tbody></table></div>`;
}

function questionRow(question: GridQuestion, columns: readonly number[]): Html {
  const { rollout, slot, designs } = question;
  const rewards = designs.flatMap(({ executions }) =>
    executions.flatMap(({ reward }) => (reward === null ? [] : [reward])),
  );
  const mean = rewards.length === 0 ? null : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const text = clip(question.question?.text ?? question.questionId, 70);
  return html`<tr><th scope="row"><a href="${pageHref(rollout)}">q-${slot}</a> <span class="question">${text}</span></th>${columns.map(
    (index) => {
      const design = designs.find((each) => each.design === index);
      return html`<td>${design !== undefined && designCell(design)}</td>`;
    },
  )}<td class="number">${fixed(mean)}</td></tr>\n`;
}

function designCell({ id, design, outcome, pattern, agents, reward, advantage, executions }: GridDesign): Html {
  const what = outcome === 'valid' ? `${clip(pattern ?? 'plain', 40)}, ${counted(agents ?? 0, 'agent')}` : outcome;
  const own = html`<a class="design${outcome !== 'valid' && ' refused'}" href="${pageHref(id)}" title="${what}; ${creditWords(reward, advantage)}">${outcome === 'valid' ? clip(pattern ?? 'plain', 40) : outcome}</a>`;
  return html`${own}<span class="cells">${executions.map(
    (each, index) =>
      html`<a class="cell ${rewardStep(each.reward)}" href="${pageHref(each.id)}" aria-label="design ${design}, execution ${index}: ${each.outcome}, ${creditWords(each.reward, each.advantage)}" title="${each.outcome}; ${creditWords(each.reward, each.advantage)}">${rewardMark(each.reward)}</a>`,
  )}</span>`;
}
