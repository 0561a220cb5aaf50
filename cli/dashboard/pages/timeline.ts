/** The charts of a run over its iterations. */
import { invalidPattern } from '../../../activities/batch-facts.ts';
import { intervalChart } from '../charts/interval-chart.ts';
import { lineChart } from '../charts/line-chart.ts';
import type { Series } from '../charts/line-chart.ts';
import { shareChart } from '../charts/share-chart.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { metricOf, tokensPerSecond } from '../read/run-data.ts';
import type { IterationRow, RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';

export type TimelineData = Pick<RunData, 'run' | 'iterations' | 'bands' | 'evaluations'>;
/** Page of an evaluation; null where there are no pages. */
export type HrefOf = (path: string) => string | null;

interface LinePlan {
  id: string;
  title: string;
  note: string;
  include?: readonly number[];
  series: readonly { name: string; of: (row: IterationRow) => number | null }[];
}

const metric = (name: string) => (row: IterationRow) => metricOf(row, name);
const one = (name: string): LinePlan['series'] => [{ name, of: metric(name) }];

/** Every line chart: what it shows and where its values come from. */
export const linePlans: readonly LinePlan[] = [
  {
    id: 'reward',
    title: 'Mean reward',
    note: 'of the training questions',
    include: [0, 1],
    series: [{ name: 'reward', of: metric('meanReward') }],
  },
  { id: 'accuracy', title: 'Right answers', note: 'share of executions', include: [0, 1], series: one('accuracy') },
  { id: 'valid', title: 'Valid designs', note: 'share of designs', include: [0, 1], series: one('validDesigns') },
  { id: 'entropy', title: 'Entropy', note: 'nats a token', include: [0], series: one('entropy') },
  {
    id: 'kl',
    title: 'KL',
    note: 'nats a token',
    // Below this it is the noise of 32-bit arithmetic.
    include: [0, 1e-4],
    series: [
      { name: 'to the version before', of: metric('approxKl') },
      { name: 'to the reference', of: metric('referenceKl') },
    ],
  },
  {
    id: 'clip',
    title: 'Clipped tokens',
    note: 'share held by the clip',
    include: [0, 0.01],
    series: one('clipFraction'),
  },
  { id: 'gradient', title: 'Gradient norm', note: 'before clipping', include: [0], series: one('gradNorm') },
  { id: 'loss', title: 'Loss', note: 'policy loss of the update', series: one('loss') },
  {
    id: 'speed',
    title: 'Speed',
    note: 'response tokens a second of rollout',
    include: [0],
    series: [{ name: 'tokens/s', of: tokensPerSecond }],
  },
  {
    id: 'calls',
    title: 'Calls an execution',
    note: 'model calls',
    include: [0],
    series: [
      {
        name: 'calls',
        of: ({ metrics: { calls, executions } }) => (calls === undefined || !executions ? null : calls / executions),
      },
    ],
  },
];

/** Evaluations of the run's plan (one series), and those that somebody asked for (another). */
function evaluationChart({ run, iterations, bands, evaluations }: TimelineData, hrefOf: HrefOf): Html {
  const own = new Set(evaluations.filter(({ dataset }) => dataset.digest === run.datasets.heldOut.digest));
  const point = (each: (typeof evaluations)[number]) => ({
    place: each.place,
    label: `${each.name} (v${each.policyVersion})`,
    href: hrefOf(each._id),
    value: each.metrics.average,
    interval: each.intervals?.average ?? null,
  });
  const others = evaluations.filter((each) => !own.has(each));
  return intervalChart({
    title: `avg@${run.plan.evaluation.samples}`,
    note: 'held-out questions, 95 % intervals',
    count: Math.max(1, iterations.length),
    bands,
    series: [
      { name: 'held out', points: [...own].map(point) },
      ...(others.length === 0 ? [] : [{ name: 'other questions', points: others.map(point) }]),
    ],
  });
}

export function timeline(data: TimelineData, hrefOf: HrefOf = pageHref): Html {
  const { iterations, bands } = data;
  const lines = linePlans.map(({ series, ...plan }) => {
    const measured = series
      .map(({ name, of }): Series => ({ name, values: iterations.map(of) }))
      .filter(({ values }, index) => index === 0 || values.some((value) => value !== null && value !== 0));
    return lineChart({ ...plan, series: measured, bands });
  });
  const [reward, ...rest] = lines;
  return html`<div class="charts">${reward}${evaluationChart(data, hrefOf)}${rest}${shareChart({
    title: 'Design patterns',
    note: `share of designs by outermost node; ${invalidPattern}: may not run`,
    counts: iterations.map(({ facts }) => facts?.patterns ?? null),
    bands,
  })}</div>`;
}
