/**
 * How fast a run goes and how long it still takes, from what it has committed. An estimate: medians of the newest
 * iterations and of the evaluations, times what the plan still holds. Knows no store and no clock.
 */
import type { IterationFacts } from '../activities/store/documents.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import { plannedEvaluations } from '../shared/plan/planned-evaluations.ts';
import { tokensPerSecond } from './dashboard/read/run-data.ts';

/** A committed iteration. */
export interface PacedIteration {
  committedAt: Date;
  /** Absent in records of older programs. */
  facts?: IterationFacts;
}

/** A recorded evaluation of the run's plan. */
export interface PacedEvaluation {
  name: string;
  recordedAt: Date;
  /** When the version that it measures was committed, which is when it could begin. */
  versionAt: Date;
}

export interface Committed {
  iterations: readonly PacedIteration[];
  evaluations: readonly PacedEvaluation[];
}

export interface Pace {
  /** Response tokens of both roles a second of rollout, newest iteration; null where it was not measured. */
  tokensPerSecond: number | null;
  /** Time to the end of the plan in milliseconds; null before the first iteration is committed. */
  etaMs: number | null;
}

/** The newest iterations tell more than older ones: designs, and with them calls, change while a run learns. */
const recent = 5;

/** `inEvaluation`: what runs now is an evaluation, not an iteration. */
export function paceOf(
  plan: Pick<RunPlan, 'stages' | 'evaluation'>,
  { iterations, evaluations }: Committed,
  inEvaluation: boolean,
  now: Date,
): Pace {
  const newest = iterations.at(-1);
  const durations = iterations
    .slice(-recent)
    .flatMap(({ committedAt, facts }) => (facts === undefined ? [] : [elapsed(facts.startedAt, committedAt)]));
  const iterationMs = median(durations);
  if (newest === undefined || iterationMs === null)
    return { tokensPerSecond: newest === undefined ? null : tokensPerSecond(newest), etaMs: null };
  const evaluationMs = median(evaluations.map(({ versionAt, recordedAt }) => elapsed(versionAt, recordedAt))) ?? 0;
  const recorded = new Set(evaluations.map(({ name }) => name));
  const evaluationsLeft = plannedEvaluations(plan).filter((name) => !recorded.has(name)).length;
  const iterationsLeft = plan.stages.reduce((sum, stage) => sum + stage.iterations, 0) - iterations.length;
  const last = Math.max(...[newest.committedAt, ...evaluations.map(({ recordedAt }) => recordedAt)].map(Number));
  // A step that takes longer than those before it, or waits, does not shorten what comes after it.
  const spent = Math.min(now.getTime() - last, inEvaluation ? evaluationMs : iterationMs);
  const etaMs = Math.max(0, iterationsLeft * iterationMs + evaluationsLeft * evaluationMs - Math.max(0, spent));
  return { tokensPerSecond: tokensPerSecond(newest), etaMs };
}

const elapsed = (from: Date, to: Date) => Math.max(0, to.getTime() - from.getTime());

/** Mean of the two in the middle where their number is even; null of none. */
function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
}
