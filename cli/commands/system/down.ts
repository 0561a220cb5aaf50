/** `down`: stops this clone's servers and workers, wherever they were started. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { stateDirOf } from '../../settings.ts';

export const command: CommandFile = {
  define(command, act) {
    command.addHelpText(
      'after',
      `
Databases stay; runs go on with the next \`metaagentx up\`. Configured servers are left alone.
` + examples(['down', 'after `up --detach`, or for what a killed command left behind']),
    );
    act(command, (cli) => down(cli));
  },
};

async function down(cli: Cli): Promise<CommandResult> {
  const { stopStack } = await import('../../stack/stack.ts');
  const stopped = await stopStack(stateDirOf(cli.environment));
  return {
    data: { stopped },
    text: stopped.length === 0 ? 'nothing was running' : `stopped: ${stopped.join(', ')}`,
  };
}
