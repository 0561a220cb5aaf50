/** `pause`: no new iteration starts until `unpause`; the current one ends. */
import type { CommandFile } from '../../command.ts';
import { examples } from '../../command.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .addHelpText('after', examples(['pause toy-1', 'no new iteration starts until `unpause`; the current one ends']));
    act(command, async (cli, [runId]) => {
      const { signalRun } = await import('../../signal-run.ts');
      return signalRun(cli, runId!, 'pause');
    });
  },
};
