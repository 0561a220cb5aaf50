/** `up`: servers and workers in the foreground until Ctrl-C, or in the background until `down`. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes, Unavailable } from '../../exit-codes.ts';
import { stateDirOf } from '../../settings.ts';
import { untilInterrupted } from '../../until-interrupted.ts';
import { isDomainError } from '../../../shared/errors.ts';

interface Options {
  workers: boolean;
  detach?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .option('--no-workers', 'servers only')
      .option('--detach', 'return when everything serves; stop it with `metaagentx down`')
      .addHelpText(
        'after',
        `
Configured servers are used as they are (TEMPORAL_ADDRESS or a Temporal profile, MONGODB_URI); the others are started
here and stopped with Ctrl-C. Runs that were waiting go on. Ended by Ctrl-C, the exit code is 0: that is how it ends.
` + examples(['up', 'servers and workers'], ['up --no-workers', 'servers; start workers with `metaagentx worker`']),
      );
    act<Options>(command, (cli, _args, options) => (options.detach ? detached(cli, options) : attached(cli, options)));
  },
};

async function attached(cli: Cli, { workers }: Options): Promise<CommandResult> {
  const { withSession } = await import('../../session.ts');
  return withSession(
    cli,
    { stack: 'started', workers: workers ? 'own' : 'none', dashboard: 'started' } as const,
    async (session) => {
      const { addresses, stack, lost, dashboardUrl } = session;
      cli.log(`Temporal      ${addresses.temporalAddress}, namespace ${addresses.namespace}`);
      if (addresses.uiUrl !== null) cli.log(`Temporal UI   ${cli.logPaint.bold(addresses.uiUrl)}`);
      if (dashboardUrl() !== null) cli.log(`dashboard     ${cli.logPaint.bold(dashboardUrl()!)}`);
      cli.log(`MongoDB       ${addresses.mongoUri.replace(/\/\/[^@/]*@/, '//***@')}`);
      cli.log('ready: start a run in another terminal with: npx metaagentx train --recipe toy');
      cli.log('Ctrl-C stops what this command started; runs go on when it is started again');
      const failure = await Promise.race([lost, untilInterrupted(cli.signal)]);
      if (failure !== undefined) throw new Unavailable(failure.message, { cause: failure });
      return { data: { stopped: stack.owned, addresses }, text: '', exitCode: exitCodes.ok };
    },
  );
}

async function detached(cli: Cli, { workers }: Options): Promise<CommandResult> {
  const [{ startDetached }, { readRecord }] = await Promise.all([
    import('../../stack/daemon.ts'),
    import('../../stack/record.ts'),
  ]);
  const stateDir = stateDirOf(cli.environment);
  try {
    const { pid, logFile } = await startDetached({ stateDir, log: cli.log, ...(workers ? {} : { queues: [] }) });
    const { addresses } = readRecord(stateDir);
    const what = `servers${workers ? ' and workers' : ''}`;
    return {
      data: { pid, logFile, addresses },
      text:
        pid === null
          ? `the configured servers answer; nothing runs in the background (log ${logFile})`
          : `${what} run in the background (process ${pid}, log ${logFile}). Stop them with: npx metaagentx down`,
    };
  } catch (error) {
    if (isDomainError(error)) throw new Unavailable(error.message, { cause: error });
    throw error;
  }
}
