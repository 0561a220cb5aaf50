/** `resume`: attaches to a run that still runs, starts one anew that ended, from where the database says it stands. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { collected, examples } from '../../command.ts';
import { checkDetaching } from '../../detaching.ts';
import type { ResumeOutcome } from '../../resume-run.ts';

interface Options {
  detach?: boolean;
  withStack?: boolean;
  set?: string[];
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .option('--set <path=value>', 'go on with one field of the recipe changed; may be repeated', collected)
      .option('--detach', 'return when the run goes on')
      .option('--with-stack', 'start servers and workers here where none are running')
      .addHelpText(
        'after',
        `
A run that was killed, stopped, terminated, or whose Temporal server is gone goes on after its last committed iteration.
Where the store has lost writes, the run is rolled back to the newest version from which everything is there. Changes of the
recipe are checked, in force from there on, and kept on record with the values before (docs/durability.md).
` +
          examples(
            ['resume toy-1 --with-stack', 'go on here, servers and workers included'],
            ['resume toy-1 --set update.learningRate=1e-4 --set stages.count=4', 'go on more slowly, and for longer'],
            ['resume toy-1 --detach', 'let it go on with the workers of `metaagentx up`'],
          ),
      );
    act<Options>(command, (cli, [runId], options) => resume(cli, runId!, options));
  },
};

async function resume(cli: Cli, runId: string, { detach, withStack, set }: Options): Promise<CommandResult> {
  checkDetaching({ detach, withStack });
  const [{ trainingNeeds, withSession }, { resumeRun }, { follow }] = await Promise.all([
    import('../../session.ts'),
    import('../../resume-run.ts'),
    import('../../launch.ts'),
  ]);
  return withSession(cli, trainingNeeds(withStack), async (session) => {
    const options = { set, dashboardUrl: session.dashboardUrl() };
    const outcome = await resumeRun(session.store, session.client, runId, options);
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

function describe(runId: string, outcome: Exclude<ResumeOutcome, { how: 'finished' }>): string {
  if (outcome.how === 'attached') return `${runId} is still running on the server: attaching`;
  const { from, was, losses, changes } = outcome;
  const done =
    from === null ? 'from the beginning' : `from v${from.policyVersion}, ${sum(from.iterations)} iterations done`;
  const lost =
    losses.length === 0 ? '' : `; the store had lost writes (missing: ${losses.join('; ')}), so it was rolled back`;
  const changed = changes.map(
    ({ path, before, after }) => `; ${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`,
  );
  return `${runId} was ${was.toLowerCase()} on the server: started again ${done}${lost}${changed.join('')}`;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
