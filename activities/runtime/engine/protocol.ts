/** What passes between the engine's thread and the thread that uses it. Values are structured clones. */
import type { FailureName } from '../../../shared/errors.ts';
import type { PolicyEngine, TrainProgress } from './contract.ts';

/** Methods that cross; each takes one request or nothing. */
export const methods = [
  'loadPolicy',
  'hasPolicy',
  'unloadPolicy',
  'generate',
  'update',
  'sft',
  'gradients',
  'step',
  'logProbs',
  'stats',
] as const;
export type Method = (typeof methods)[number];

export type ToEngine =
  | { type: 'call'; id: number; method: Method; request: Parameters<PolicyEngine[Method]>[0] | undefined }
  | { type: 'abort'; id: number }
  | { type: 'close' };

export interface CarriedError {
  name: string;
  /** Set for a `DomainError`. */
  failure: FailureName | null;
  message: string;
  data: Record<string, unknown>;
}

export type FromEngine =
  | { type: 'ready' }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'error'; id: number; error: CarriedError }
  | { type: 'progress'; id: number; progress: TrainProgress };
