/** `stop`: the current iteration ends and is committed, then the run ends; `--now` ends it at once. */
import type { CommandFile } from '../../command.ts';
import { examples } from '../../command.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .option('--now', 'do not wait for the current iteration; what it sampled so far is kept and reused by `resume`')
      .addHelpText(
        'after',
        examples(['stop toy-1', 'end after the current iteration'], ['stop toy-1 --now', 'cancel what is in flight']),
      );
    act<{ now?: boolean }>(command, async (cli, [runId], { now }) => {
      const { signalRun } = await import('../../signal-run.ts');
      return signalRun(cli, runId!, now ? 'stop --now' : 'stop');
    });
  },
};
