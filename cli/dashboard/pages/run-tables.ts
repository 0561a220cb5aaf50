/** Tables of a run that its page and its report share. */
import { policyVersionName, stageId } from '../../../shared/domain/ids.ts';
import { counted, fixed, percent, version } from '../../view/numbers.ts';
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';
import { metricOf, tokensPerSecond } from '../read/run-data.ts';
import type { EvaluationRow, IterationRow, RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';
import { facts, table, textBox } from './parts.ts';

/** Names a node by its path: as a link where there are pages, as text where there are none. */
export type Link = (path: string, label: string) => Part;
export const pageLink: Link = (path, label) => html`<a href="${pageHref(path)}">${label}</a>`;
export const noLink: Link = (_path, label) => label;

export type RunTables = Pick<RunData, 'run' | 'stages' | 'iterations'>;

export function evaluationTable(evaluations: readonly EvaluationRow[], link: Link): Html {
  if (evaluations.length === 0) return html`<p class="none">none yet</p>`;
  const columns = ['evaluation', 'policy', 'avg@k', '95 % interval', 'k', 'questions', 'valid designs'];
  return table(
    'held-out evaluations',
    columns.map((title, index) => ({ title, number: index > 1 })),
    evaluations.map(({ _id, name, policyVersion, metrics, intervals, samples, questions, dataset }) => [
      link(_id, name),
      policyVersionName(policyVersion),
      percent(metrics.average),
      intervals?.average == null ? '–' : `${percent(intervals.average[0])} – ${percent(intervals.average[1])}`,
      samples,
      html`<span title="${dataset.name}">${questions}</span>`,
      percent(metrics.validDesigns),
    ]),
  );
}

export function stageTable({ run, stages, iterations }: RunTables, link: Link): Html {
  const columns = ['stage', 'learns', 'iterations', 'policy', 'mean reward'];
  return table(
    'stages',
    columns.map((title) => ({ title })),
    run.plan.stages.map(({ stage, learner, iterations: planned }) => {
      const own = iterations.filter((each) => each.stage === stage);
      const record = stages.find((each) => each.stage === stage);
      return [
        link(stageId(run._id, stage), `stage ${stage}`),
        learner,
        `${own.length}/${planned}`,
        record === undefined ? 'not started' : `${version(record.policyIn)} → ${version(record.policyOut)}`,
        own.length === 0 ? '–' : `${fixed(own[0]!.metrics.meanReward)} → ${fixed(own.at(-1)!.metrics.meanReward)}`,
      ];
    }),
  );
}

const number = (value: number | null | undefined) => (value == null ? '–' : String(Number(value.toPrecision(3))));

/** Also what the charts show, for those who cannot see them. */
export function iterationTable(iterations: readonly IterationRow[], link: Link): Html {
  if (iterations.length === 0) return html`<p class="none">none yet</p>`;
  const columns = [
    'iteration',
    'learned',
    'policy',
    'reward',
    'right',
    'valid',
    'calls',
    'entropy',
    'KL',
    'clipped',
    'gradient',
    'tokens/s',
  ];
  return table(
    'iterations',
    columns.map((title, index) => ({ title, number: index > 2 })),
    iterations.map((row) => [
      link(row._id, `${row.stage}/${row.iteration}`),
      row.learner,
      `v${row.policyOut}`,
      fixed(row.metrics.meanReward),
      percent(row.metrics.accuracy),
      percent(row.metrics.validDesigns),
      number(row.metrics.calls),
      ...['entropy', 'approxKl', 'clipFraction', 'gradNorm'].map((name) => number(metricOf(row, name))),
      number(tokensPerSecond(row)),
    ]),
  );
}

export function configuration({ run }: RunTables): Html {
  const { datasets, codeVersion, environment, recipe, prompts } = run;
  const dataset = ({ name, count, digest }: { name: string; count: number; digest: string }) =>
    html`${name}, ${counted(count, 'question')}, <code>${digest}</code>`;
  return html`${facts([
    ['program', codeVersion],
    ['train', dataset(datasets.train)],
    ['held out', dataset(datasets.heldOut)],
    ...Object.entries(environment ?? {}).map(([name, value]) => [name, value] as const),
  ])}${textBox(JSON.stringify(recipe, null, 2))}${Object.entries(prompts).map(
    ([name, text]) => html`<details><summary>prompt: ${name}</summary>${textBox(text)}</details>`,
  )}`;
}
