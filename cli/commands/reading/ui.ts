/** `ui`: the dashboard over the store, in the foreground until Ctrl-C. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, portNumber } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Reading } from '../../reading-session.ts';
import { stateDirOf } from '../../settings.ts';
import { dashboardUrlOf, defaultDashboardPort } from '../../stack/dashboard.ts';
import { loopback } from '../../stack/ports.ts';
import { untilInterrupted } from '../../until-interrupted.ts';

interface Options {
  port?: number;
  host?: string;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .option('--port <n>', `port; 0 takes any free one (default: ${defaultDashboardPort})`, portNumber)
      .option('--host <name>', `address to listen at (default: ${loopback})`)
      .addHelpText(
        'after',
        `
Reads MongoDB only: MONGODB_URI, else the store of this clone, whose servers are started for the command where they do not
run. Whoever reaches the address can read every run, so it listens on this machine alone unless --host says otherwise.
\`metaagentx up\` and commands with --with-stack serve it too: without --port and --host, the address of that one is printed.
` +
          examples(
            ['ui', 'runs, charts, heat maps, designs and calls at http://127.0.0.1:8280'],
            ['ui --port 0', 'at a free port'],
          ),
      );
    act<Options>(command, (cli, _args, options) => show(cli, options));
  },
};

async function show(cli: Cli, { port, host }: Options): Promise<CommandResult> {
  const stateDir = stateDirOf(cli.environment);
  const served = port === undefined && host === undefined ? dashboardUrlOf(stateDir) : null;
  if (served !== null) return { data: { url: served }, text: `dashboard: ${served}` };
  const wanted = { host: host ?? loopback, port: port ?? defaultDashboardPort };
  const { withStore } = await import('../../reading-session.ts');
  return withStore(cli, (reading) => serve(cli, reading, wanted));
}

async function serve(
  cli: Cli,
  { store, uiUrl }: Reading,
  { host, port }: { host: string; port: number },
): Promise<CommandResult> {
  const { isLoopback, serveDashboard } = await import('../../dashboard/serve.ts');
  const dashboard = await serveDashboard({ store, host, port, temporalUrl: uiUrl });
  cli.log(`dashboard: ${cli.logPaint.bold(dashboard.url)}`);
  if (!isLoopback(host))
    cli.log('warning: it asks for no password; everybody who reaches this address can read all runs');
  cli.log('Ctrl-C ends it');
  await untilInterrupted(cli.signal);
  await dashboard.close();
  return { data: { url: dashboard.url }, text: '', exitCode: exitCodes.ok };
}
