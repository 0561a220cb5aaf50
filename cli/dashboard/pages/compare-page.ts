/** Runs side by side: reward and held-out scores in one picture, and what their recipes differ in. */
import type { Store } from '../../../activities/store/connect.ts';
import { percent } from '../../view/numbers.ts';
import { intervalChart } from '../charts/interval-chart.ts';
import { lineChart } from '../charts/line-chart.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { readRunData } from '../read/run-data.ts';
import type { RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { status, table } from './parts.ts';
import { linePlans } from './timeline.ts';

const runsCompared = 8;

/** Throws `RunNotFound`. */
export async function comparePage(store: Store, wanted: readonly string[]): Promise<Page> {
  const ids = [...new Set(wanted)].slice(0, runsCompared);
  if (ids.length === 0) return { title: 'Compare', path: null, body: await chooser(store) };
  const runs = await Promise.all(ids.map((runId) => readRunData(store, runId)));
  return {
    title: `Compare ${ids.join(', ')}`,
    path: null,
    body: html`<h1>Compare ${runs.length} runs</h1>
${results(runs)}
<section id="charts" aria-label="charts"><div class="charts">${scores(runs)}${linePlans.map((plan) =>
      lineChart({
        ...plan,
        bands: sameBands(runs),
        series: runs.map((data) => ({ name: data.run._id, values: data.iterations.map(plan.series[0]!.of) })),
      }),
    )}</div></section>
<section id="differences"><h2>What differs</h2>${differences(runs)}</section>
<p><a href="/compare">compare others</a></p>`,
  };
}

async function chooser(store: Store): Promise<Html> {
  const { sound } = await store.runs.findSound({}, { projection: { createdAt: 1, recipe: 1 } });
  const runs = sound.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, 100);
  return html`<h1>Compare runs</h1><form action="/compare"><ul class="choice">${runs.map(
    ({ _id, recipe }) =>
      html`<li><label><input type="checkbox" name="run" value="${_id}"> ${_id} <span class="note">${recipe.name}</span></label></li>`,
  )}</ul><p><button>compare the ticked runs</button></p></form>`;
}

function results(runs: readonly RunData[]): Html {
  const columns = [
    'run',
    'status',
    'recipe',
    'seed',
    'iterations',
    'first avg@k',
    'last avg@k',
    '95 % interval',
    'gain',
  ];
  return table(
    'results',
    columns.map((title, index) => ({ title, number: index > 2 })),
    runs.map(({ run, iterations, evaluations }) => {
      const [first, last] = [evaluations[0], evaluations.at(-1)];
      const interval = last?.intervals?.average;
      return [
        html`<a href="${pageHref(run._id)}">${run._id}</a>`,
        status(run.status),
        run.recipe.name,
        run.recipe.seed,
        iterations.length,
        percent(first?.metrics.average),
        percent(last?.metrics.average),
        interval == null ? '–' : `${percent(interval[0])} – ${percent(interval[1])}`,
        last === undefined ? '–' : `${(100 * (last.metrics.average - first!.metrics.average)).toFixed(1)}`,
      ];
    }),
  );
}

const scores = (runs: readonly RunData[]): Html =>
  intervalChart({
    title: 'avg@k',
    note: 'held-out questions, 95 % intervals',
    count: Math.max(1, ...runs.map(({ iterations }) => iterations.length)),
    bands: sameBands(runs),
    series: runs.map(({ run, evaluations }) => ({
      name: run._id,
      points: evaluations.map((each) => ({
        place: each.place,
        label: `${run._id} ${each.name}`,
        href: pageHref(each._id),
        value: each.metrics.average,
        interval: each.intervals?.average ?? null,
      })),
    })),
  });

/** Stage bands are drawn only where they are the same for all. */
function sameBands(runs: readonly RunData[]): RunData['bands'] {
  const [first, ...rest] = runs.map(({ bands }) => JSON.stringify(bands));
  return rest.every((bands) => bands === first) ? runs[0]!.bands : [];
}

/** Leaves of the recipes, data and program versions in which not all runs agree. */
function differences(runs: readonly RunData[]): Html {
  const leaves = runs.map(({ run }) =>
    leavesOf({
      ...run.recipe,
      program: run.codeVersion,
      'train data': run.datasets.train.digest.slice(0, 12),
      'held-out data': run.datasets.heldOut.digest.slice(0, 12),
    }),
  );
  const names = [...new Set(leaves.flatMap((each) => [...each.keys()]))];
  const differing = names.filter((name) => new Set(leaves.map((each) => each.get(name))).size > 1);
  if (differing.length === 0) return html`<p class="none">nothing: recipe, data and program are the same</p>`;
  return table(
    'differences',
    [{ title: 'setting' }, ...runs.map(({ run }) => ({ title: run._id }))],
    differing.map((name) => [name, ...leaves.map((each) => each.get(name) ?? '–')]),
  );
}

function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (value === null || typeof value !== 'object') return new Map([[path, JSON.stringify(value) ?? '–']]);
  return new Map(
    Object.entries(value).flatMap(([name, inner]) => [...leavesOf(inner, path === '' ? name : `${path}.${name}`)]),
  );
}
