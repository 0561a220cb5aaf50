/**
 * Follows a run until its workflow ends: an updating block on a terminal, a line a change elsewhere. The watcher only
 * reads; ending it leaves the run as it is.
 */
import { readRun } from '../activities/run-context.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Progress } from '../shared/domain/plan.ts';
import type { Cli } from './command.ts';
import { paceOf } from './pace.ts';
import type { PacedEvaluation } from './pace.ts';
import { queryProgress, readEvaluations, readIterations, storedProgress } from './run-view.ts';
import type { CommittedIteration } from './run-view.ts';
import { pause } from './pause.ts';
import { isServed } from './session.ts';
import type { Session } from './session.ts';
import { workflowStatus } from './workflow-status.ts';
import { progressBlock, progressLine } from './view/progress.ts';
import type { LiveBlock } from './view/live-block.ts';

const livePollMs = 700;
const plainPollMs = 1_500;
/** After so many unanswered queries in a row, say that no worker serves the run. */
const silentQueries = 2;

export interface WatchEnd {
  /** `interrupted`, or the workflow's closed status. */
  how: string;
  /** Of a failed workflow. */
  failure: { name: string; message: string } | null;
}

/** Resolves when the run's workflow has ended or the user has ended the watch. */
export async function watchRun(cli: Cli, session: Session, runId: string): Promise<WatchEnd> {
  const stopped = new AbortController();
  cli.signal.addEventListener('abort', () => stopped.abort(), { once: true });
  const lost = session.lost.then((error) => {
    throw error;
  });
  return cli.live(async (block) => {
    const showing = show(cli, session, runId, block, stopped.signal);
    try {
      return await Promise.race([ended(session, runId, stopped.signal), lost]);
    } finally {
      stopped.abort();
      await showing;
    }
  });
}

async function ended(session: Session, runId: string, signal: AbortSignal): Promise<WatchEnd> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const result = session.client.workflow.getHandle(runId).result();
  const how = await Promise.race([result.then(() => 'COMPLETED' as const).catch(() => 'closed' as const), interrupted]);
  if (how === 'interrupted' || how === 'COMPLETED') return { how, failure: null };
  const run = await readRun(session.store, runId);
  return { how: await workflowStatus(session.client, runId), failure: run.failure ?? null };
}

async function show(cli: Cli, session: Session, runId: string, block: LiveBlock, signal: AbortSignal): Promise<void> {
  const viewer = new Viewer(session, runId);
  let line = '';
  while (!signal.aborted) {
    const view = await viewer.look();
    if (signal.aborted) break;
    if (block.isLive) block.draw(progressBlock(view, cli.logPaint));
    else {
      const next = view.notice ?? progressLine(view);
      if (next !== line) cli.log(next);
      line = next;
    }
    await pause(block.isLive ? livePollMs : plainPollMs, signal);
  }
}

/** Keeps what does not change between looks. */
class Viewer {
  readonly #session: Session;
  readonly #runId: string;
  readonly #startedMs = performance.now();
  #iterations: CommittedIteration[] = [];
  #evaluations: PacedEvaluation[] = [];
  #silent = 0;
  #seen = '';
  #run: RunDocument | null = null;

  constructor(session: Session, runId: string) {
    this.#session = session;
    this.#runId = runId;
  }

  async look() {
    const { store, client } = this.#session;
    const queried = await queryProgress(client, this.#runId);
    this.#silent = queried === null ? this.#silent + 1 : 0;
    if (this.#run === null || queried === null) this.#run = await readRun(store, this.#runId);
    const { plan } = this.#run;
    const progress = queried ?? (await storedProgress(store, this.#run));
    await this.#readCommitted(progress, this.#run);
    const committed = { iterations: this.#iterations, evaluations: this.#evaluations };
    return {
      progress,
      rewards: this.#iterations.map(({ meanReward }) => meanReward),
      tokens: this.#iterations.reduce((sum, { tokens }) => sum + tokens, 0),
      pace: paceOf(plan, committed, progress.phase === 'evaluating', new Date()),
      samples: plan.evaluation.samples,
      elapsedMs: performance.now() - this.#startedMs,
      page: this.#session.dashboardUrl(this.#runId) ?? this.#session.uiUrl(this.#runId),
      notice: await this.#notice(),
    };
  }

  async #readCommitted({ stage, iteration, evaluations }: Progress, run: RunDocument): Promise<void> {
    const now = `${stage}/${iteration}/${Object.keys(evaluations).length}`;
    if (now === this.#seen) return;
    const { store } = this.#session;
    [this.#iterations, this.#evaluations] = await Promise.all([
      readIterations(store, this.#runId),
      readEvaluations(store, run),
    ]);
    this.#seen = now;
  }

  async #notice(): Promise<string | null> {
    if (this.#silent < silentQueries) return null;
    return (await isServed(this.#session))
      ? 'the workflow does not answer yet: its worker is starting or busy'
      : 'no worker serves this run: it waits. Start workers with: npx metaagentx up';
  }
}
