/** One step of a controller: what the picks of the last step earned moves its weights; the next step draws with those. */
import { searchStepId } from '../../shared/domain/ids.ts';
import type { RoundCost, SearchRound } from '../../shared/domain/search-plan.ts';
import { DomainError } from '../../shared/errors.ts';
import { learnFromPicks, zeroWeights } from '../../shared/systems/controller.ts';
import type { PickedQuestion } from '../../shared/systems/controller.ts';
import { controllerLearningRate, maasPool, utilityOf } from '../../shared/systems/maas.ts';
import type { DesignSource } from '../../shared/systems/source.ts';
import type { RunContexts } from '../run-context.ts';
import type { Store } from '../store/connect.ts';
import type { SearchDocument } from '../store/documents.ts';
import { insertOnce } from '../store/write.ts';
import { checkAnswers, readSearch } from './read-search.ts';
import { costOfBatches } from './search-cost.ts';

type Pool = Extract<DesignSource, { type: 'pool' }>;
type Deps = { store: Store; runs: RunContexts };

/** Stores the controller of step `round`; returns what the steps before it took. */
export async function advanceController(
  { store, runs }: Deps,
  { searchId, round, revision }: SearchRound,
): Promise<RoundCost> {
  const id = searchStepId(searchId, round);
  if ((await store.systems.findOne({ _id: id })) === null) {
    const search = await readSearch(store, searchId);
    const { runId, system, budget } = search;
    const { recipe, datasets } = await runs.run({ runId, revision });
    const callLimit = budget?.unit === 'calls' ? budget.amount : recipe.limits.calls;
    const source =
      round === 0
        ? firstPool(maasPool(recipe.prompts.form, callLimit))
        : await learn(store, search, round, datasets.train.digest);
    await insertOnce(store.systems, { _id: id, runId, system, source, budget });
  }
  const steps = Array.from({ length: round }, (_, step) => searchStepId(searchId, step));
  return { calls: (await costOfBatches(store, steps)).calls };
}

const firstPool = (scripts: string[]): Pool => ({
  type: 'pool',
  scripts,
  weights: zeroWeights(scripts.length),
  draws: true,
});

/** `asked`: digest of the questions. */
async function learn(store: Store, search: SearchDocument, round: number, asked: string): Promise<Pool> {
  const last = searchStepId(search._id, round - 1);
  const before = (await store.systems.findOne({ _id: last }))?.source;
  if (before?.type !== 'pool') throw new DomainError('RecordConflict', `step '${last}' has no controller`, { last });
  await checkAnswers(store, search, last);
  const picked = await readPicks(store, last, before, asked);
  return { ...before, weights: learnFromPicks(before.weights, picked, controllerLearningRate) };
}

/** In the order of ids, so that a repeated step sums the same numbers in the same order. */
async function readPicks(store: Store, batchId: string, pool: Pool, asked: string): Promise<PickedQuestion[]> {
  const [designs, executions, verdicts] = await Promise.all([
    store.designs.find({ batchId }, { projection: { rolloutId: 1, question: 1, script: 1 } }).toArray(),
    store.executions.find({ batchId }, { projection: { designId: 1, usage: 1 } }).toArray(),
    store.verdicts.find({ batchId }, { projection: { verdict: 1 } }).toArray(),
  ]);
  const mostCalls = Math.max(1, ...executions.map(({ usage }) => usage.calls));
  const right = new Set(verdicts.filter(({ verdict }) => verdict?.correct === true).map(({ _id }) => _id));
  const byQuestion = new Map<string, PickedQuestion & { picks: { script: number; utility: number }[] }>();
  for (const design of designs.sort((a, b) => (a._id < b._id ? -1 : 1))) {
    const execution = executions.find(({ designId }) => designId === design._id);
    const isRight = execution !== undefined && right.has(execution._id);
    const utility = utilityOf(isRight, execution?.usage.calls ?? 0, mostCalls);
    const pick = { script: pool.scripts.indexOf(design.script ?? ''), utility };
    const known = byQuestion.get(design.rolloutId);
    if (known === undefined) {
      const question = await questionText(store, asked, design.question);
      byQuestion.set(design.rolloutId, { question, picks: [pick] });
    } else known.picks.push(pick);
  }
  return [...byQuestion.values()];
}

async function questionText(store: Store, digest: string, id: string): Promise<string> {
  const found = await store.questions.findOne({ digest, 'question.id': id });
  if (found === null)
    throw new DomainError('RecordConflict', `question '${id}' is not in the training questions`, { id });
  return found.question.text;
}
