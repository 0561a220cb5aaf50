/** `train`: everything is read and checked first; then the run is stored, started and watched until it ends. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { collected, examples, wholeNumber } from '../../command.ts';

interface Options {
  recipe: string;
  runId?: string;
  questions?: string;
  heldOut?: string;
  seed?: number;
  system?: string;
  set?: string[];
  skipLong?: boolean;
  detach?: boolean;
  withStack?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .requiredOption('--recipe <name|file>', 'a recipe of runs/ by name, or the path of a recipe file')
      .option('--run-id <id>', 'name of the run; derived from the recipe when left out')
      .option('--questions <file>', 'train on this questions file (JSONL)')
      .option('--held-out <file>', 'evaluate on this one; without it, one in five of --questions is held out')
      .option('--skip-long', "leave out questions that do not fit the policy's context, and say how many")
      .option('--seed <n>', 'seed of every random draw of the run', wholeNumber(0))
      .option('--system <name>', 'train a system under comparison instead: see `eval systems`')
      .option('--set <path=value>', 'change one field of the recipe; may be repeated', collected)
      .option('--detach', 'return when the run has started; workers elsewhere do the work')
      .option('--with-stack', 'start servers and workers here where none are running')
      .addHelpText(
        'after',
        examples(
          ['train --recipe toy --with-stack', 'the demo: train on generated word problems, all in this terminal'],
          ['train --recipe toy --run-id first --seed 1', 'with servers and workers from `metaagentx up`'],
          ['train --recipe smoke --questions gsm8k.jsonl --with-stack', 'on your own questions'],
          [
            'train --recipe toy --set update.learningRate=1e-4 --set stages.iterationsPerStage=5 --detach',
            'with other settings, in the background',
          ],
        ),
      );
    act<Options>(command, async (cli, _args, options) => train(cli, options));
  },
};

async function train(cli: Cli, options: Options): Promise<CommandResult> {
  const { prepareRun } = await import('../../prepare-run.ts');
  const prepared = await prepareRun(options);
  prepared.datasets.notes.forEach((note) => cli.log(note));
  const [{ trainingNeeds, withSession }, { launch }] = await Promise.all([
    import('../../session.ts'),
    import('../../launch.ts'),
  ]);
  return withSession(cli, trainingNeeds(options.withStack), (session) =>
    launch(cli, session, prepared, options.detach ?? false),
  );
}
