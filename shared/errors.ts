/**
 * The closed list of failure names. Pure code throws `DomainError`; `activities/boundary.ts` turns it into a Temporal
 * `ApplicationFailure` whose `type` is the name. What is `final` is non-retryable everywhere.
 */
const failures = {
  InvalidConfig: 'final',
  InvalidInput: 'final',
  UnsupportedOp: 'final',
  UnsupportedModel: 'final',
  ShapeMismatch: 'final',
  NonFiniteLoss: 'final',
  CheckpointMissing: 'final',
  CheckpointCorrupt: 'final',
  PolicyVersionConflict: 'final',
  DeviceOutOfMemory: 'retried',
  EngineDied: 'retried',
  SandboxUnavailable: 'retried',
  EndpointUnavailable: 'retried',
  EndpointRefused: 'final',
  StoreUnavailable: 'retried',
  TemporalUnavailable: 'retried',
  StoreBehind: 'final',
  RecordConflict: 'final',
  RecordRefused: 'final',
  RecordBroken: 'final',
  RunNotFound: 'final',
  NotFound: 'final',
  RunStopped: 'final',
  PayloadKeyUnknown: 'retried',
  PayloadCorrupt: 'final',
  UnexpectedFailure: 'final',
} as const;

export type FailureName = keyof typeof failures;

export const failureNames = Object.keys(failures) as FailureName[];

/** Failures that no retry can mend; used by every proxy's `nonRetryableErrorTypes`. */
export const neverRetried: readonly FailureName[] = failureNames.filter((name) => failures[name] === 'final');

/** A named failure with data fields a caller can act on. */
export class DomainError extends Error {
  override readonly name: FailureName;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(name: FailureName, message: string, data: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
    this.data = data;
  }
}

/** True for a `DomainError`, optionally of one name. */
export function isDomainError(error: unknown, name?: FailureName): error is DomainError {
  return error instanceof DomainError && (name === undefined || error.name === name);
}
