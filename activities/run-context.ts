/** A run's facts, read once per worker process and revision of its recipe: recipe, datasets, questions. */
import { DomainError } from '../shared/errors.ts';
import { ownSystem } from '../shared/systems/source.ts';
import type { AnsweringSystem } from '../shared/systems/source.ts';
import type { Question } from '../shared/domain/question.ts';
import type { Revision } from '../shared/domain/plan.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import { hasHadRevision, isAtRevision } from './recipe-revision.ts';
import type { RunDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { SharedReads } from './store/shared-reads.ts';

/** Which run, and the revision of its recipe that the asker knows of; absent: that before any change. */
export interface RunOf {
  runId: string;
  revision?: Revision;
}

export interface RunContexts {
  /** The run as it was at that revision, or is after changes that have come since. */
  run(which: RunOf): Promise<RunDocument>;
  /** The system that answers a batch. */
  system(batch: RunOf & Pick<Batch, 'system'>): Promise<AnsweringSystem>;
  /** A question of the dataset that the batch draws from. */
  question(batch: RunOf & Pick<Batch, 'purpose' | 'dataset'>, index: number): Promise<Question>;
}

/** Throws `RunNotFound`; `InvalidInput` for a document of a newer program, `RecordBroken` for a broken one. */
export async function readRun(store: Store, runId: string): Promise<RunDocument> {
  const run = await store.runs.findOne({ _id: runId });
  if (run === null) {
    throw new DomainError('RunNotFound', `there is no run '${runId}' in the store; see: npx metaagentx list`, {
      runId,
    });
  }
  return run;
}

export function runContexts(store: Store): RunContexts {
  const kept = new Map<string, RunDocument>();
  const reads = new SharedReads<RunDocument>();
  const run = async ({ runId, revision }: RunOf) => {
    const found = kept.get(runId);
    if (found !== undefined && isAtRevision(found, revision)) return found;
    // A read for another revision may have begun before this one was stored.
    return reads.read(`${runId} ${revision}`, async () => {
      const read = await readRevision(store, runId, revision);
      kept.set(runId, read);
      return read;
    });
  };
  const questions = recentQuestions(store);
  // Nothing is kept: a search that is rolled back makes its systems again under the same ids.
  const systems = new SharedReads<AnsweringSystem>();
  return {
    run,
    async system({ system: id, ...which }) {
      if (id === undefined) return ownSystem((await run(which)).recipe);
      return systems.read(id, () => readSystem(store, id));
    },
    async question({ purpose, dataset, ...which }, index) {
      if (dataset !== undefined) return questions.question(dataset, index);
      const { train, heldOut } = (await run(which)).datasets;
      return questions.question((purpose === 'train' ? train : heldOut).digest, index);
    },
  };
}

/** Questions kept in memory: those of the iteration in hand. Datasets are named by their content, so none goes stale. */
const keptQuestions = 128;

function recentQuestions(store: Store): { question(digest: string, index: number): Promise<Question> } {
  const kept = new Map<string, Promise<Question>>();
  return {
    question(digest, index) {
      const id = `${digest}/${index}`;
      const found = kept.get(id) ?? readQuestion(store, digest, index);
      // The newest stands last.
      kept.delete(id);
      kept.set(id, found);
      found.catch(() => kept.delete(id));
      if (kept.size > keptQuestions) kept.delete(kept.keys().next().value!);
      return found;
    },
  };
}

async function readQuestion(store: Store, digest: string, index: number): Promise<Question> {
  const found = await store.questions.findOne({ _id: `${digest}/${index}` });
  if (found !== null) return found.question;
  throw new DomainError('RecordConflict', `question ${index} of dataset ${digest} is not in the store`, {
    digest,
    index,
  });
}

/** Throws `StoreBehind` where the store has lost what the asker was started with: the run, or a change of its recipe. */
async function readRevision(store: Store, runId: string, revision: Revision | undefined): Promise<RunDocument> {
  const run = await readRun(store, runId);
  if (hasHadRevision(run, revision)) return run;
  const changes = run.changes?.length ?? 0;
  throw new DomainError(
    'StoreBehind',
    `run '${runId}' was started with another recipe than the store's, which has ${changes} changes on record: the store has lost its newest writes. Go on with: npx metaagentx resume ${runId}`,
    { runId, revision, changes },
  );
}

async function readSystem(store: Store, id: string): Promise<AnsweringSystem> {
  const found = await store.systems.findOne({ _id: id });
  if (found === null) throw new DomainError('RecordConflict', `system ${id} is not in the store`, { id });
  return found;
}
