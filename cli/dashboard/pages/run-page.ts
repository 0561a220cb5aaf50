/** A run, or one stage of it: where it stands, its charts, its iterations and evaluations. */
import { iterationId, policyVersionName, stageId, stageWorkflowId } from '../../../shared/domain/ids.ts';
import { DomainError } from '../../../shared/errors.ts';
import { duration, fixed, moment, percent, version } from '../../view/numbers.ts';
import { html, jsonBlock } from '../html.ts';
import type { Html } from '../html.ts';
import { nextIteration } from '../read/run-data.ts';
import type { IterationRow, RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { facts, status } from './parts.ts';
import { configuration, evaluationTable, iterationTable, pageLink, stageTable } from './run-tables.ts';
import { timeline } from './timeline.ts';

export function runPage(data: RunData): Page {
  const { run, iterations, evaluations } = data;
  const running = run.status === 'running' || run.status === 'created';
  return {
    title: run._id,
    path: run._id,
    workflowId: run._id,
    ...(running ? { live: run._id } : {}),
    body: html`<h1>${run._id} ${status(run.status)}</h1>
${head(data)}
<section id="charts" aria-label="charts">${timeline(data)}</section>
${places(iterations)}
<section id="evaluations"><h2>Held-out evaluations</h2>${evaluationTable(evaluations, pageLink)}</section>
<section id="stages"><h2>Stages</h2>${stageTable(data, pageLink)}</section>
<section id="iterations"><h2>Iterations</h2>${iterationTable(iterations, pageLink)}</section>
<section id="configuration"><h2>Configuration</h2><details><summary>recipe, environment, data</summary>${configuration(data)}</details></section>`,
  };
}

/** Throws `NotFound` where the plan has no such stage. */
export function stagePage(data: RunData, stage: number): Page {
  const { run } = data;
  const planned = run.plan.stages.find((each) => each.stage === stage);
  if (planned === undefined)
    throw new DomainError('NotFound', `run '${run._id}' has stages 1 to ${run.plan.stages.length}, not ${stage}`);
  const iterations = data.iterations.filter((each) => each.stage === stage);
  const record = data.stages.find((each) => each.stage === stage);
  const first = data.iterations.findIndex((each) => each.stage === stage);
  const evaluations = data.evaluations
    .filter(({ place }) => first >= 0 && place >= first && place <= first + iterations.length)
    .map((each) => ({ ...each, place: each.place - first }));
  const bands = iterations.length === 0 ? [] : [{ stage, learner: planned.learner, from: 1, to: iterations.length }];
  const path = stageId(run._id, stage);
  return {
    title: path,
    path,
    workflowId: stageWorkflowId(run._id, stage, planned.learner),
    ...(record?.policyOut == null && run.status === 'running' ? { live: run._id } : {}),
    previous: stage > 1 ? pageHref(stageId(run._id, stage - 1)) : null,
    next: stage < run.plan.stages.length ? pageHref(stageId(run._id, stage + 1)) : null,
    body: html`<h1>Stage ${stage}: ${planned.learner === 'both' ? 'both roles learn' : `the ${planned.learner} learns`}</h1>
${facts([
  ['iterations', `${iterations.length} of ${planned.iterations}`],
  ['policy', record === undefined ? 'not started' : `${version(record.policyIn)} → ${version(record.policyOut)}`],
])}
<section id="charts" aria-label="charts">${timeline({ run, iterations, bands, evaluations })}</section>
${places(iterations)}
<section id="evaluations"><h2>Held-out evaluations</h2>${evaluationTable(evaluations, pageLink)}</section>
<section id="iterations"><h2>Iterations</h2>${iterationTable(iterations, pageLink)}</section>`,
  };
}

/** What stands at each place of the charts: its name and its page, for the pointer and the keys. */
const places = (iterations: readonly IterationRow[]): Html =>
  jsonBlock(
    'places',
    iterations.map(({ _id, stage, iteration }) => [`stage ${stage} · iteration ${iteration}`, pageHref(_id)]),
  );

function head(data: RunData): Html {
  const { run, iterations, evaluations } = data;
  const { questionsPerIteration, designsPerQuestion, executionsPerDesign } = run.plan.rollout;
  const planned = run.plan.stages.reduce((sum, stage) => sum + stage.iterations, 0);
  const ended = run.finishedAt === undefined ? null : duration(run.finishedAt.getTime() - run.createdAt.getTime());
  const next = run.status === 'running' ? nextIteration(data) : null;
  const newest = iterations.at(-1);
  const [first, last] = [evaluations[0], evaluations.at(-1)];
  return html`<div id="head">${facts([
    ['recipe', html`${run.recipe.name}, seed ${run.recipe.seed}`],
    [
      'iterations',
      html`${iterations.length} of ${planned}${next !== null && html` · <a href="${pageHref(next)}">running now</a>`}`,
    ],
    ['shape', `${questionsPerIteration} questions × ${designsPerQuestion} designs × ${executionsPerDesign} executions`],
    [
      'mean reward',
      newest === undefined
        ? '–'
        : `${fixed(newest.metrics.meanReward)} (first ${fixed(iterations[0]!.metrics.meanReward)})`,
    ],
    ['avg@k', first === undefined ? '–' : `${percent(first.metrics.average)} → ${percent(last!.metrics.average)}`],
    ['started', moment(run.createdAt)],
    ['took', ended],
    [
      'policy',
      html`<a href="${pageHref(run._id)}/versions">${newest === undefined ? 'versions' : policyVersionName(newest.policyOut)}</a>`,
    ],
    [
      'failure',
      run.failure === undefined ? null : html`<b class="bad">${run.failure.name}</b>: ${run.failure.message}`,
    ],
  ])}</div>`;
}

/** The iteration beside another, where the plan has one: its page. */
export function besideIteration(
  { plan, _id }: RunData['run'],
  stage: number,
  iteration: number,
  step: 1 | -1,
): string | null {
  const planned = plan.stages.find((each) => each.stage === stage)?.iterations ?? 0;
  const wanted = iteration + step;
  if (wanted >= 1 && wanted <= planned) return pageHref(iterationId(_id, stage, wanted));
  const other = plan.stages.find((each) => each.stage === stage + step);
  return other === undefined ? null : pageHref(iterationId(_id, other.stage, step === 1 ? 1 : other.iterations));
}
