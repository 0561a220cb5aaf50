/** Where a run stands by its documents: what a new execution of its workflow goes on from. */
import type { RunPosition } from '../shared/domain/plan.ts';
import { readRun } from './run-context.ts';
import type { RunDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';

/**
 * The run's position by its documents; null where it has no initial policy. An update that was committed without its
 * iteration's record counts as not done: the iteration is repeated, finds everything stored, and records itself.
 */
export async function positionOf(store: Store, runId: string): Promise<RunPosition | null> {
  const [run, policies, iterations, evaluations] = await Promise.all([
    readRun(store, runId),
    store.policies.find({ runId }, { projection: { version: 1, madeBy: 1 } }).toArray(),
    store.iterations.find({ runId }, { projection: { stage: 1, iteration: 1, policyOut: 1 } }).toArray(),
    store.evaluations.find({ runId }, { projection: { name: 1, metrics: 1 } }).toArray(),
  ]);
  if (policies.length === 0) return null;
  const chunks = policies.filter(({ madeBy }) => madeBy.startsWith('cold-start-'));
  const trained = [...chunks.map(({ version }) => version), ...iterations.map(({ policyOut }) => policyOut)];
  return {
    policyVersion: Math.max(0, ...trained),
    coldStartChunks: chunks.length,
    iterations: run.plan.stages.map(({ stage }) => iterations.filter((each) => each.stage === stage).length),
    evaluations: Object.fromEntries(evaluations.map(({ name, metrics }) => [name, metrics.average ?? 0])),
    rateFactor: rateFactorOf(run),
  };
}

/** By which decisions about iterations, but for those that are undone, have multiplied the learning rate. */
export const rateFactorOf = ({ _id: runId, decisions = [] }: Pick<RunDocument, '_id' | 'decisions'>): number =>
  productOf(decisions.filter(({ about, undone }) => about.startsWith(`${runId}/`) && undone !== true));

/** By which decisions have multiplied the learning rate. */
export const productOf = (decisions: NonNullable<RunDocument['decisions']>): number =>
  decisions.reduce(
    (product, { decision }) => (decision.choice === 'lower-rate' ? product * decision.factor : product),
    1,
  );
