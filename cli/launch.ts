/**
 * From a prepared run to its end: chooses the run id, starts or goes on, watches, reports. A watcher that is interrupted
 * leaves the durable run as it is and says how to come back.
 */
import { storedVersion } from '../activities/policy/stored-version.ts';
import { checkRunId } from '../shared/domain/ids.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Store } from '../activities/store/connect.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import type { Cli, CommandResult } from './command.ts';
import { fittedDatasets } from './datasets.ts';
import { exitCodes, Interrupted } from './exit-codes.ts';
import { lastingPages, sayPages } from './pages.ts';
import type { PreparedRun } from './prepare-run.ts';
import { resumeRun } from './resume-run.ts';
import { storedRoom } from './prompt-room.ts';
import { readReport } from './run-report.ts';
import type { Session } from './session.ts';
import { startRun } from './start-run.ts';
import { reportText } from './view/report.ts';
import { watchRun } from './watch-run.ts';

export async function launch(
  cli: Cli,
  session: Session,
  request: PreparedRun,
  detach: boolean,
): Promise<CommandResult> {
  const { store, client, config } = session;
  const prepared = await fittedToStored(cli, store, request);
  const unfinished = prepared.runId === null ? await unfinishedTwin(store, prepared) : null;
  const runId = prepared.runId ?? unfinished ?? (await nextRunId(store, prepared.recipe.name));
  if (unfinished === null) {
    await startRun(store, client, { ...prepared, runId, config, dashboardUrl: session.dashboardUrl() });
    cli.log(`run ${runId}: started`);
  } else {
    const { how } = await resumeRun(store, client, runId, {
      dashboardUrl: session.dashboardUrl(),
    });
    cli.log(
      `run ${runId} has the same recipe and questions and is not finished: going on with it (${how}). For a new run give --run-id`,
    );
  }
  if (!detach) return follow(cli, session, runId);
  sayPages(cli, session, runId);
  return {
    data: { runId, started: unfinished === null, ...lastingPages(session, runId) },
    text: `${runId} runs in the background. Look at it with: npx metaagentx status ${runId} --watch`,
  };
}

/** Looks at the stored version that the run begins with, if it does: whether it is there, and which questions fit it. */
async function fittedToStored(cli: Cli, store: Store, prepared: PreparedRun): Promise<PreparedRun> {
  const { recipe, skipLong } = prepared;
  const { init } = recipe.policy;
  if (init.type !== 'policy') return prepared;
  const room = await storedRoom(store, await storedVersion(store, `${init.runId}@v${init.version}`), recipe);
  const datasets = fittedDatasets(prepared.datasets, room, recipe, skipLong);
  datasets.notes.forEach((note) => cli.log(note));
  return { ...prepared, datasets };
}

/** Watches to the end and reports. Throws `Interrupted` at Ctrl-C. */
export async function follow(cli: Cli, session: Session, runId: string): Promise<CommandResult> {
  sayPages(cli, session, runId);
  const { how, failure } = await watchRun(cli, session, runId);
  if (how === 'interrupted')
    throw new Interrupted(`stopped watching ${runId}`, adviceFor(runId, session.hasOwnWorkers));
  const report = await readReport(session.store, runId);
  const { run, evaluations, design, iterations } = report;
  const pages = lastingPages(session, runId);
  const data = { runId, status: run.status, workflow: how, failure, iterations, evaluations, design, ...pages };
  if (how === 'COMPLETED') return { data, text: reportText(report, pages, cli.paint) };
  const why = failure === null ? '' : `: ${failure.name}: ${failure.message}`;
  return {
    data,
    exitCode: exitCodes.failure,
    text: `run ${runId} ended as ${how}${why}\nGo on from its last committed iteration with: npx metaagentx resume ${runId}`,
  };
}

/** The run is durable: what the user can do with it now. */
export function adviceFor(runId: string, workersEnd: boolean): string[] {
  return workersEnd
    ? [
        `The run waits, nothing is lost; the workers and servers of this command are being stopped.`,
        `Go on with:  npx metaagentx resume ${runId} --with-stack`,
      ]
    : [
        `The run goes on without you.`,
        `Watch again with:  npx metaagentx status ${runId} --watch`,
        `End it with:       npx metaagentx stop ${runId}`,
      ];
}

/** `toy-1`, `toy-2`, … */
async function nextRunId(store: Store, recipe: string): Promise<string> {
  const pattern = new RegExp(`^${recipe}-(\\d+)$`);
  const taken = await store.runs.find({ _id: { $regex: pattern.source } }, { projection: { _id: 1 } }).toArray();
  const numbers = taken.map(({ _id }) => Number(pattern.exec(_id)?.[1] ?? 0));
  return checkRunId(`${recipe}-${Math.max(0, ...numbers) + 1}`);
}

/** A run that was cut off and is the same in everything: starting again means going on with it. */
async function unfinishedTwin(store: Store, { recipe, datasets }: PreparedRun): Promise<string | null> {
  const { sound: open } = await store.runs.findSound({ status: { $in: ['created', 'running'] } });
  const isTwin = (run: RunDocument) =>
    canonical(run.recipe) === canonical(recipe) &&
    run.datasets.train.digest === datasets.train.digest &&
    run.datasets.heldOut.digest === datasets.heldOut.digest;
  return open.filter(isTwin).sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]?._id ?? null;
}

/** JSON with keys in order, for comparison. */
function canonical(recipe: Recipe): string {
  return JSON.stringify(recipe, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
