/** `fork`: a new run from any version of another one, with changes; both go on for themselves. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { collected, examples } from '../../command.ts';
import { checkDetaching } from '../../detaching.ts';

interface Options {
  runId: string;
  set?: string[];
  detach?: boolean;
  withStack?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<version>', 'RUN@vN or RUN@latest')
      .requiredOption('--run-id <id>', 'name of the new run')
      .option('--set <path=value>', "change one field of the origin's recipe; may be repeated", collected)
      .option('--detach', 'return when the run has started; workers elsewhere do the work')
      .option('--with-stack', 'start servers and workers here where none are running')
      .addHelpText(
        'after',
        `
The new run has the origin's recipe, questions, weights and optimizer moments, no cold start, and its own stages from the
first. \`inspect\` shows what it was forked from and which forks a run has.
` +
          examples(
            ['fork toy-1@v12 --run-id slower --set update.learningRate=1e-4', 'try another rate from version 12 on'],
            ['fork toy-1@latest --run-id again --set seed=7 --detach', 'other draws, in the background'],
          ),
      );
    act<Options>(command, (cli, [version], options) => fork(cli, version!, options));
  },
};

async function fork(cli: Cli, from: string, options: Options): Promise<CommandResult> {
  checkDetaching(options);
  const [{ trainingNeeds, withSession }, { forkRun }, { follow }, { lastingPages }] = await Promise.all([
    import('../../session.ts'),
    import('../../fork-run.ts'),
    import('../../launch.ts'),
    import('../../pages.ts'),
  ]);
  const { runId, set = [], detach, withStack } = options;
  return withSession(cli, trainingNeeds(withStack), async (session) => {
    const { store, client, config } = session;
    const forkedFrom = await forkRun(store, client, { from, runId, set, config, dashboardUrl: session.dashboardUrl() });
    cli.log(`run ${runId}: started from ${forkedFrom.runId}@v${forkedFrom.version}`);
    if (!detach) return follow(cli, session, runId);
    return {
      data: { runId, forkedFrom, ...lastingPages(session, runId) },
      text: `${runId} runs in the background. Look at it with: npx metaagentx status ${runId} --watch`,
    };
  });
}
