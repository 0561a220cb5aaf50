/**
 * The closed list of failure names. Pure code throws `DomainError`; `activities/boundary.ts` turns it into a Temporal
 * `ApplicationFailure` whose `type` is the name. Names on `neverRetried` are non-retryable everywhere.
 */
export const failureNames = [
  'InvalidConfig',
  'InvalidInput',
  'UnsupportedOp',
  'UnsupportedModel',
  'ShapeMismatch',
  'NonFiniteLoss',
  'CheckpointMissing',
  'CheckpointCorrupt',
  'PolicyVersionConflict',
  'DeviceOutOfMemory',
  'EngineDied',
  'SandboxUnavailable',
  'EndpointUnavailable',
  'EndpointRefused',
  'StoreUnavailable',
  'StoreBehind',
  'RecordConflict',
  'RecordRefused',
  'RunNotFound',
  'UnexpectedFailure',
] as const;

export type FailureName = (typeof failureNames)[number];

/** Failures that no retry can mend; used by every proxy's `nonRetryableErrorTypes`. */
export const neverRetried: readonly FailureName[] = [
  'InvalidConfig',
  'InvalidInput',
  'UnsupportedOp',
  'UnsupportedModel',
  'ShapeMismatch',
  'NonFiniteLoss',
  'CheckpointMissing',
  'CheckpointCorrupt',
  'PolicyVersionConflict',
  'StoreBehind',
  'RecordConflict',
  'RecordRefused',
  'RunNotFound',
  'EndpointRefused',
  'UnexpectedFailure',
];

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
