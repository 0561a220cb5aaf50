/** A run's facts, read once per worker process and revision of its recipe: recipe, datasets, questions. */
import { DomainError } from '../shared/errors.ts';
import { ownSystem } from '../shared/systems/source.ts';
import type { AnsweringSystem } from '../shared/systems/source.ts';
import type { Question } from '../shared/domain/question.ts';
import type { Batch } from '../shared/domain/tasks.ts';
import type { RunDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { SharedReads } from './store/shared-reads.ts';

/** Which run, and how many changes of its recipe the asker knows of; absent: none. */
export interface RunOf {
  runId: string;
  revision?: number;
}

export interface RunContexts {
  /** The run as it is after at least that many changes. */
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
  const runs = new Map<string, { revision: number; run: Promise<RunDocument> }>();
  const run = ({ runId, revision = 0 }: RunOf) => {
    let found = runs.get(runId);
    if (found === undefined || found.revision < revision) {
      found = { revision, run: readRevision(store, runId, revision) };
      const own = found;
      own.run.catch(() => runs.get(runId) === own && runs.delete(runId));
      runs.set(runId, own);
    }
    return found.run;
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
      const { datasets } = await run(which);
      const digest = dataset ?? (purpose === 'train' ? datasets.train : datasets.heldOut).digest;
      return questions.question(digest, index);
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

/** Throws `StoreBehind` where the store does not have a change of the recipe that the run's workflow was started with. */
async function readRevision(store: Store, runId: string, revision: number): Promise<RunDocument> {
  const run = await readRun(store, runId);
  const changes = run.changes?.length ?? 0;
  if (changes >= revision) return run;
  throw new DomainError(
    'StoreBehind',
    `run '${runId}' was started with ${revision} changes of its recipe and the store has ${changes}: it has lost its newest writes. Go on with: npx metaagentx resume ${runId}`,
    { runId, revision, changes },
  );
}

async function readSystem(store: Store, id: string): Promise<AnsweringSystem> {
  const found = await store.systems.findOne({ _id: id });
  if (found === null) throw new DomainError('RecordConflict', `system ${id} is not in the store`, { id });
  return found;
}
