/**
 * Every id is a path and is derived, so a restart can never make a second one for the same thing.
 * Run ids are chosen by the user; all else follows: `RUN/stage-02/iter-007/q-13/d-2/e-3/c-005`.
 */
import { DomainError } from '../errors.ts';
import type { Role } from './role.ts';

const runIdPattern = /^[a-z0-9][a-z0-9._-]{0,79}$/;
const pad = (value: number, width: number) => String(value).padStart(width, '0');

/** Returns `runId` unchanged, or throws `InvalidInput` with the rule it breaks. */
export function checkRunId(runId: string): string {
  if (!runIdPattern.test(runId)) {
    throw new DomainError(
      'InvalidInput',
      `run id '${runId}' is not usable: use 1 to 80 characters of a-z, 0-9, '.', '_' and '-', starting with a letter or digit`,
      { runId },
    );
  }
  return runId;
}

/** `stage` counts from 1. */
export const stageId = (runId: string, stage: number) => `${runId}/stage-${pad(stage, 2)}`;
/** The stage's workflow id also names who learns, for the reader of the Temporal UI. */
export const stageWorkflowId = (runId: string, stage: number, learner: Role | 'both') =>
  `${stageId(runId, stage)}-${learner}`;
/** `iteration` counts from 1 within its stage. */
export const iterationId = (runId: string, stage: number, iteration: number) =>
  `${stageId(runId, stage)}/iter-${pad(iteration, 3)}`;
export const evaluationId = (runId: string, name: string) => `${runId}/eval-${name}`;
/** A system under comparison that answers with a run's policy. */
export const systemId = (runId: string, name: string) => `${runId}/system-${name}`;
/** A search for a system, by what it looks for and with which settings (a digest of them). */
export const searchIdOf = (runId: string, system: string, digest: string) =>
  `${runId}/search-${system}-${digest.slice(0, 8)}`;
export const candidateId = (searchId: string, round: number) => `${searchId}/c-${pad(round, 3)}`;
export const searchStepId = (searchId: string, round: number) => `${searchId}/t-${pad(round, 3)}`;
/** The system that a search found: `RUN/system-aflow-1a2b3c4d`. */
export const systemIdOfSearch = (searchId: string) => searchId.replace(/\/search-([^/]*)$/, '/system-$1');
/** The teacher's answers of a collection, which is named like its run. */
export const collectionId = (runId: string) => `${runId}/collection`;
/** A study's workflow. */
export const studyWorkflowId = (studyId: string) => `study/${studyId}`;
/** The study whose workflow it is; null where it is another one. */
export const studyOfWorkflow = (workflowId: string): string | null => /^study\/(.+)$/.exec(workflowId)?.[1] ?? null;
/** `STUDY.VARIANT.sSEED` */
export const studyRunId = (studyId: string, variant: string, seed: number) => `${studyId}.${variant}.s${seed}`;
/** One question that a user asked: its dataset's digest, and the how-manieth asking (from 0). */
export const solveId = (runId: string, digest: string, asking: number) =>
  `${runId}/solve-${digest.slice(0, 12)}-${asking}`;
/** `batchId` is the id of an iteration, an evaluation or a solved question; `slot` counts questions in it from 0. */
export const rolloutId = (batchId: string, slot: number) => `${batchId}/q-${pad(slot, 3)}`;
export const designId = (rollout: string, design: number) => `${rollout}/d-${design}`;
export const executionId = (design: string, execution: number) => `${design}/e-${execution}`;
/** The design of an execution, also of one whose journal was set aside. */
export const designIdOf = (execution: string) => execution.replace(/\/e-\d+(\/aside)?$/, '');
/** `call` counts the host calls of one execution from 0, in the order in which the script asks. */
export const callId = (execution: string, call: number) => `${execution}/c-${pad(call, 4)}`;
/** Policy versions count from 0 (initial weights). */
export const policyVersionName = (version: number) => `v${pad(version, 6)}`;
export const policyId = (runId: string, version: number) => `${runId}/${policyVersionName(version)}`;

/** Parses `RUN@v12`, `RUN@v000012` or `RUN@latest`; version null means the latest. Throws `InvalidInput`. */
export function parsePolicyReference(text: string): { runId: string; version: number | null } {
  const match = /^(.+?)(?:@(?:v(\d{1,6})|latest))?$/.exec(text);
  const runId = match?.[1];
  if (match === null || runId === undefined || runId.includes('@')) {
    throw new DomainError('InvalidInput', `policy reference '${text}' is not RUN@vN or RUN@latest`, { text });
  }
  return { runId: checkRunId(runId), version: match[2] === undefined ? null : Number(match[2]) };
}

/** Path of a random stream: independent of the run's name, so equal recipes and seeds give equal runs. */
export const seedKeyOf = (seed: number, runId: string, id: string) => `${seed}/${id.slice(runId.length + 1)}`;
