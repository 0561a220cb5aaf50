/** `resume`: attaches to a run that still runs, starts one anew that ended, from where the database says it stands. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';

interface Options {
  detach?: boolean;
  withStack?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .option('--detach', 'return when the run goes on')
      .option('--with-stack', 'start servers and workers here where none are running')
      .addHelpText(
        'after',
        `
A run that was killed, stopped, terminated, or whose Temporal server is gone goes on after its last committed iteration.
` +
          examples(
            ['resume toy-1 --with-stack', 'go on here, servers and workers included'],
            ['resume toy-1 --detach', 'let it go on with the workers of `metaagentx up`'],
          ),
      );
    act<Options>(command, (cli, [runId], options) => resume(cli, runId!, options));
  },
};

async function resume(cli: Cli, runId: string, { detach, withStack }: Options): Promise<CommandResult> {
  const [{ withSession }, { resumeRun }, { follow }] = await Promise.all([
    import('../../session.ts'),
    import('../../resume-run.ts'),
    import('../../launch.ts'),
  ]);
  const needs = withStack
    ? ({ stack: 'started', workers: 'polling', dashboard: 'started' } as const)
    : ({ stack: 'joined', workers: 'none' } as const);
  return withSession(cli, needs, async (session) => {
    const outcome = await resumeRun(session.store, session.client, runId, session.dashboardUrl());
    if (outcome.how === 'finished') {
      return {
        data: { runId, how: outcome.how },
        text: `${runId} is finished: nothing to resume. Look at it with: npx metaagentx inspect ${runId}`,
      };
    }
    cli.log(describe(runId, outcome));
    if (!detach) return follow(cli, session, runId);
    return {
      data: { runId, ...outcome },
      text: `${runId} goes on in the background. Look at it with: npx metaagentx status ${runId} --watch`,
    };
  });
}

function describe(
  runId: string,
  outcome: { how: 'attached' } | { how: 'restarted'; from: unknown; was: string },
): string {
  if (outcome.how === 'attached') return `${runId} is still running on the server: attaching`;
  const position = outcome.from as { policyVersion: number; iterations: number[] } | null;
  const done =
    position === null
      ? 'from the beginning'
      : `from v${position.policyVersion}, ${sum(position.iterations)} iterations done`;
  return `${runId} was ${outcome.was.toLowerCase()} on the server: started again ${done}`;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
