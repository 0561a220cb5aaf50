/** The option `--csv` of commands that print a table, and what it does not go together with. */
import { Option } from 'commander';
import { DomainError } from '../shared/errors.ts';
import type { Cli } from './command.ts';

export const csvOption = (kinds: readonly string[]): Option =>
  new Option('--csv <what>', 'print CSV instead of a table').choices(kinds);

/** Throws `InvalidInput`; to be called before anything starts. */
export function checkCsv({ json }: Pick<Cli, 'json'>, csv: string | undefined): void {
  if (!json || csv === undefined) return;
  throw new DomainError('InvalidInput', '--csv and --json are two forms of one result: leave out one of the two', {
    csv,
  });
}
