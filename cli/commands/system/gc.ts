/** `gc`: removes blobs that no policy version needs, and leftovers of writes that were cut off. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';

export const command: CommandFile = {
  define(command, act) {
    command.option('--dry-run', 'only say what would go').addHelpText(
      'after',
      `
Safe while runs go on: what a version needs, what a measurement has pinned and what a worker or a repair has claimed stays. Runs prune
their own old versions by themselves (retention.* of the recipe); this finds what crashes and removed runs left behind.
` + examples(['gc --dry-run', 'look first'], ['gc', 'then remove']),
    );
    act<{ dryRun?: boolean }>(command, (cli, _args, { dryRun }) => collect(cli, dryRun ?? false));
  },
};

async function collect(cli: Cli, dryRun: boolean): Promise<CommandResult> {
  const [{ withSession }, { collectGarbage }, { dropPins }, { workflowStatus }] = await Promise.all([
    import('../../session.ts'),
    import('../../../activities/store/collect-garbage.ts'),
    import('../../../activities/policy/pins.ts'),
    import('../../workflow-status.ts'),
  ]);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store, client }) => {
    const isRunning = async (pin: string) => (await workflowStatus(client, pin)) === 'RUNNING';
    const pins = await dropPins(store, isRunning, { dryRun });
    const garbage = await collectGarbage(store, { dryRun });
    const { blobs, bytes, claims, uploads } = garbage;
    const text = `${blobs} blobs (${(bytes / 1e6).toFixed(1)} MB), ${claims} claims, ${uploads} unfinished uploads and ${pins} pins`;
    return { data: { dryRun, ...garbage, pins }, text: `${dryRun ? 'would remove' : 'removed'} ${text}` };
  });
}
