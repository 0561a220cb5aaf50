/**
 * What `inspect` is asked for: a path as in `shared/domain/ids.ts`, read forgivingly (`q-3` for `q-003`, a stage's
 * workflow id from the Temporal UI for the stage), or RUN@vN for a policy version. Pure.
 */
import {
  callId,
  checkRunId,
  designId,
  evaluationId,
  executionId,
  iterationId,
  parsePolicyReference,
  rolloutId,
  stageId,
} from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';

/** Where designs belong: an iteration, an evaluation, or a solved question. */
export interface BatchTarget {
  runId: string;
  batchId: string;
  batch: { kind: 'iteration'; stage: number; iteration: number } | { kind: 'evaluation' | 'solve'; name: string };
}

interface InRollout extends BatchTarget {
  rollout: string;
  slot: number;
}
interface InDesign extends InRollout {
  design: string;
}
interface InExecution extends InDesign {
  execution: string;
}

export type Target =
  | { level: 'run'; runId: string }
  /** Version null means the newest. */
  | { level: 'policy'; runId: string; version: number | null }
  | { level: 'stage'; runId: string; stage: number }
  | ({ level: 'batch' } & BatchTarget)
  | ({ level: 'question' } & InRollout)
  | ({ level: 'design' } & InDesign)
  | ({ level: 'execution' } & InExecution)
  | ({ level: 'call' } & InExecution & { call: string });

const form = 'RUN[/stage-02[/iter-007[/q-3[/d-1[/e-0[/c-5]]]]]], RUN/eval-NAME[/q-3…] or RUN@v12';

/** Throws `InvalidInput` naming the part that does not fit. */
export function parseTarget(text: string): Target {
  if (text.includes('@')) return { level: 'policy', ...parsePolicyReference(text) };
  const [runId = '', ...rest] = text.replace(/\/+$/, '').split('/');
  checkRunId(runId);
  const parts = [...rest];
  const refuse = (expected: string): never => {
    const seen = parts[0] === undefined ? 'nothing' : `'${parts[0]}'`;
    throw new DomainError(
      'InvalidInput',
      `'${text}' is not a path of a run: expected ${expected}, seen ${seen}. The form is ${form}`,
      { text },
    );
  };
  /** The number of the next part if it has this name. */
  const take = (name: string): number | null => {
    const match = new RegExp(`^${name}-(\\d{1,6})(?:-(?:executor|designer|both))?$`).exec(parts[0] ?? '');
    if (match === null) return null;
    parts.shift();
    return Number(match[1]);
  };
  if (parts.length === 0) return { level: 'run', runId };
  const version = /^v(\d{1,6})$/.exec(parts[0]!);
  if (version !== null && parts.length === 1) return { level: 'policy', runId, version: Number(version[1]) };
  const batch = takeBatch(runId, parts, take, refuse);
  if (!('batchId' in batch)) return batch;
  if (parts.length === 0) return { level: 'batch', ...batch };
  const slot = take('q') ?? refuse('q-N');
  const rollout = { ...batch, slot, rollout: rolloutId(batch.batchId, slot) };
  if (parts.length === 0) return { level: 'question', ...rollout };
  const design = { ...rollout, design: designId(rollout.rollout, take('d') ?? refuse('d-N')) };
  if (parts.length === 0) return { level: 'design', ...design };
  const execution = { ...design, execution: executionId(design.design, take('e') ?? refuse('e-N')) };
  if (parts.length === 0) return { level: 'execution', ...execution };
  const call = callId(execution.execution, take('c') ?? refuse('c-N'));
  if (parts.length > 0) refuse('nothing after a call');
  return { level: 'call', ...execution, call };
}

function takeBatch(
  runId: string,
  parts: string[],
  take: (name: string) => number | null,
  refuse: (expected: string) => never,
): BatchTarget | Extract<Target, { level: 'stage' }> {
  const named = /^(eval|solve)-(.+)$/.exec(parts[0]!);
  if (named !== null) {
    parts.shift();
    const [, kind, name] = named as unknown as [string, 'eval' | 'solve', string];
    return kind === 'eval'
      ? { runId, batchId: evaluationId(runId, name), batch: { kind: 'evaluation', name } }
      : { runId, batchId: `${runId}/solve-${name}`, batch: { kind: 'solve', name } };
  }
  const stage = take('stage') ?? refuse('stage-N, eval-NAME or vN');
  if (parts.length === 0) return { level: 'stage', runId, stage };
  const iteration = take('iter') ?? refuse('iter-N');
  return { runId, batchId: iterationId(runId, stage, iteration), batch: { kind: 'iteration', stage, iteration } };
}

/** The path one level up; null for a run. */
export function parentOf(target: Target): string | null {
  switch (target.level) {
    case 'run':
      return null;
    case 'policy':
    case 'stage':
      return target.runId;
    case 'batch':
      return target.batch.kind === 'iteration' ? stageId(target.runId, target.batch.stage) : target.runId;
    case 'question':
      return target.batchId;
    case 'design':
      return target.rollout;
    case 'execution':
      return target.design;
    case 'call':
      return target.execution;
  }
}
