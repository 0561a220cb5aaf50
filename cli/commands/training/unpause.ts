/** `unpause`: a paused run starts its next iteration. */
import type { CommandFile } from '../../command.ts';
import { examples } from '../../command.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .addHelpText('after', examples(['unpause toy-1', 'a paused run starts its next iteration']));
    act(command, async (cli, [runId]) => {
      const { signalRun } = await import('../../signal-run.ts');
      return signalRun(cli, runId!, 'unpause');
    });
  },
};
