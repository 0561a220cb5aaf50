/** Failures as the user sees them: expected ones as a message that says what to do, bugs with their stack. */
import { isDomainError } from '../shared/errors.ts';
import type { Cli } from './command.ts';
import { exitCodeOf, Interrupted, isExpected } from './exit-codes.ts';

interface Channels {
  json: boolean;
  /** Writes to stdout. */
  print: (text: string) => void;
  cli: Cli;
}

export function reportError(error: unknown, { json, print, cli }: Channels): void {
  const exitCode = exitCodeOf(error);
  const known = isExpected(error);
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  if (json) {
    const data = isDomainError(error) ? { data: error.data } : {};
    print(JSON.stringify({ error: { name, message, ...data }, exitCode }));
  }
  const { logPaint: paint } = cli;
  if (error instanceof Interrupted) {
    cli.log(message);
    error.advice.forEach((line) => cli.log(line));
  } else if (known) {
    cli.log(`${paint.red(name)}: ${message}`);
  } else {
    cli.log(`${paint.red('This is a bug in metaagentx.')} Please report it with the command line and the lines below.`);
    cli.log(error instanceof Error ? (error.stack ?? message) : String(error));
    if (error instanceof Error && error.cause instanceof Error)
      cli.log(`caused by ${error.cause.stack ?? error.cause.message}`);
  }
}
