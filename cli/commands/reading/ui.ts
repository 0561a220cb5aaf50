/** `ui`: the dashboard over the store, in the foreground until Ctrl-C. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';

interface Options {
  port: number;
  host: string;
}

export const defaultDashboardPort = 8280;

export const command: CommandFile = {
  define(command, act) {
    command
      .option('--port <n>', 'port; 0 takes any free one', wholeNumber(0), defaultDashboardPort)
      .option('--host <name>', 'address to listen at', '127.0.0.1')
      .addHelpText(
        'after',
        `
Reads MongoDB only: the running store of this clone, or MONGODB_URI. Whoever reaches the address can read every run, so it
listens on this machine alone unless --host says otherwise. \`metaagentx up\` starts it too.
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
  const [{ isLoopback, serveDashboard }, { openReading }] = await Promise.all([
    import('../../dashboard/serve.ts'),
    import('../../reading-session.ts'),
  ]);
  const { store, uiUrl } = await openReading(cli);
  try {
    const dashboard = await serveDashboard({ store, host, port, temporalUrl: uiUrl });
    cli.log(`dashboard: ${cli.logPaint.bold(dashboard.url)}`);
    if (!isLoopback(host))
      cli.log('warning: it asks for no password; everybody who reaches this address can read all runs');
    cli.log('Ctrl-C ends it');
    await new Promise<void>((resolve) => {
      if (cli.signal.aborted) resolve();
      cli.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await dashboard.close();
    return { data: { url: dashboard.url }, text: '', exitCode: exitCodes.ok };
  } finally {
    await store.close();
  }
}
