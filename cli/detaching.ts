/** The pair of options that no command takes together. Knows nothing about what would run. */
import { DomainError } from '../shared/errors.ts';

/** Throws `InvalidInput`; to be called before anything starts. */
export function checkDetaching({ detach, withStack }: { detach?: boolean; withStack?: boolean }): void {
  if (!detach || !withStack) return;
  throw new DomainError(
    'InvalidInput',
    '--detach and --with-stack exclude each other: the workers of --with-stack end with this command. Start `npx metaagentx up` in another terminal and use --detach alone',
  );
}
