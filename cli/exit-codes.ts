/** The command's exit codes (docs/cli.md), and which failure ends with which. */
import { isDomainError } from '../shared/errors.ts';
import type { FailureName } from '../shared/errors.ts';

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unavailable: 4,
  interrupted: 130,
} as const;

const byName: Partial<Record<FailureName, number>> = {
  InvalidConfig: exitCodes.usage,
  InvalidInput: exitCodes.usage,
  UnsupportedModel: exitCodes.usage,
  RunNotFound: exitCodes.notFound,
  NotFound: exitCodes.notFound,
  CheckpointMissing: exitCodes.notFound,
  StoreUnavailable: exitCodes.unavailable,
  SandboxUnavailable: exitCodes.unavailable,
  TemporalUnavailable: exitCodes.unavailable,
  EndpointUnavailable: exitCodes.unavailable,
  EngineDied: exitCodes.unavailable,
};

/** The user ended the command; `advice` says how to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly advice: readonly string[];

  constructor(message: string, advice: readonly string[] = []) {
    super(message);
    this.advice = advice;
  }
}

/** A server or program that the command needs is not there. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** The bootstrap's own failure, recognised by name: it is thrown by plain JavaScript. */
export const isSetupError = (error: unknown): error is Error => error instanceof Error && error.name === 'SetupError';

/** True where the message alone says everything the user needs: no stack is shown. */
export const isExpected = (error: unknown): error is Error =>
  isDomainError(error) || error instanceof Interrupted || error instanceof Unavailable || isSetupError(error);

export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return exitCodes.interrupted;
  if (error instanceof Unavailable || isSetupError(error)) return exitCodes.unavailable;
  return isDomainError(error) ? (byName[error.name] ?? exitCodes.failure) : exitCodes.failure;
}
