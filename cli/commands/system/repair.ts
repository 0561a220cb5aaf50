/** `repair`: makes damaged or lost weights of a policy version again, bit for bit, from what they were made of. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';

export const command: CommandFile = {
  define(command, act) {
    command.argument('<version>', 'RUN@vN or RUN@latest').addHelpText(
      'after',
      `
Reads every blob of the version. What is damaged is made again by doing again the update (or the cold start, or the initial
draw) that made it, from its parent; a parent that is damaged or pruned is made first, and so is the version of another run
that a fork begins with. A blob is only replaced by content of its own digest, so a machine that computes other bits cannot
do harm: it is told so. Exit code 1 then. What cannot be made again is named, with what can be done nevertheless.
` + examples(['repair toy-1@v12', 'after `audit` or a failure named a damaged blob of version 12']),
    );
    act(command, (cli, [version]) => repair(cli, version!));
  },
};

async function repair(cli: Cli, reference: string): Promise<CommandResult> {
  const [{ withSession }, { repairWithOwnEngine }] = await Promise.all([
    import('../../session.ts'),
    import('../../repair-version.ts'),
  ]);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store, config }) => {
    const { policy, restored, derived } = await repairWithOwnEngine(store, config, reference, cli.signal);
    const text =
      restored.length === 0
        ? `${policy} is whole: nothing to repair`
        : `${policy} is whole again: ${restored.length} blobs restored, by making ${derived.join(', ')} again`;
    return { data: { policy, restored, derived }, text };
  });
}
