/** All runs, newest first. */
import type { Store } from '../../../activities/store/connect.ts';
import type { RunDocument } from '../../../activities/store/documents.ts';
import { sparkline } from '../../view/bars.ts';
import { duration, fixed, moment, percent } from '../../view/numbers.ts';
import { html } from '../html.ts';
import { groupBy } from '../read/group.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { status, table } from './parts.ts';

const runsShown = 40;

/** `before`: runs that were created earlier than this time (milliseconds since 1970). */
export async function runsPage(store: Store, before: number | null): Promise<Page> {
  const older = before === null ? {} : { createdAt: { $lt: new Date(before) } };
  const { sound: found, refused } = await store.runs.findSound(older, {
    projection: { recipe: 1, plan: 1, status: 1, createdAt: 1, finishedAt: 1 },
  });
  const runs = found.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, runsShown);
  const ids = runs.map(({ _id }) => _id);
  const [iterations, evaluations] = await Promise.all([
    store.iterations.findSound(
      { runId: { $in: ids } },
      { projection: { runId: 1, stage: 1, iteration: 1, 'metrics.meanReward': 1 } },
    ),
    store.evaluations.findSound(
      { runId: { $in: ids } },
      { projection: { runId: 1, policyVersion: 1, samples: 1, 'metrics.average': 1 } },
    ),
  ]);
  const rewardsOf = groupBy(
    iterations.sound.sort((a, b) => a.stage - b.stage || a.iteration - b.iteration),
    ({ runId }) => runId,
  );
  const scoresOf = groupBy(
    evaluations.sound.sort((a, b) => a.policyVersion - b.policyVersion),
    ({ runId }) => runId,
  );
  const rows = runs.map((run) => {
    const rewards = (rewardsOf.get(run._id) ?? []).map(({ metrics }) => metrics.meanReward ?? 0);
    const scores = scoresOf.get(run._id) ?? [];
    const [first, last] = [scores[0], scores.at(-1)];
    return [
      html`<input type="checkbox" name="run" value="${run._id}" aria-label="compare ${run._id}">`,
      html`<a href="${pageHref(run._id)}">${run._id}</a>`,
      status(run.status),
      run.recipe.name,
      `${rewards.length}/${plannedIterations(run)}`,
      html`<span class="spark" aria-hidden="true">${sparkline(rewards, 20)}</span> ${fixed(rewards.at(-1))}`,
      first === undefined ? '–' : `${percent(first.metrics.average)} → ${percent(last!.metrics.average)}`,
      moment(run.createdAt),
      run.finishedAt === undefined ? '' : duration(run.finishedAt.getTime() - run.createdAt.getTime()),
    ];
  });
  const columns = ['', 'run', 'status', 'recipe', 'iterations', 'mean reward', 'avg@k', 'started', 'took'];
  const more = found.length > runs.length;
  const unreadable = refused.map((why) => html`<p class="note">${why}</p>`);
  return {
    title: 'Runs',
    path: null,
    live: '',
    body:
      rows.length === 0
        ? html`<h1>Runs</h1>${unreadable}<p>No run yet. Start one in another terminal: <code>npx metaagentx train --recipe toy</code></p>`
        : html`<h1>Runs</h1>${unreadable}<form action="/compare" id="runs">${table(
            'runs',
            columns.map((title) => ({ title })),
            rows,
          )}<p><button>compare the ticked runs</button>${
            more && html` <a href="/?before=${runs.at(-1)!.createdAt.getTime()}" rel="next">older runs</a>`
          }</p></form>`,
  };
}

const plannedIterations = ({ plan }: Pick<RunDocument, 'plan'>) =>
  plan.stages.reduce((sum, { iterations }) => sum + iterations, 0);
