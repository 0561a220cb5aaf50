/** `coldstart collect|teacher|train|show|list`: examples from a teacher behind an endpoint, and training on them. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Act, Cli, CommandFile, CommandResult } from '../../command.ts';
import { collected, examples, wholeNumber } from '../../command.ts';
import { checkDetaching } from '../../detaching.ts';

interface TeacherOptions {
  teacher: string;
  url?: string;
  questions?: string;
  heldOut?: string;
  set?: string[];
}

interface CollectOptions extends TeacherOptions {
  designs: number;
  limit?: number;
  calls?: number;
  tokens?: number;
  withStack?: boolean;
}

interface TrainOptions {
  recipe: string;
  runId?: string;
  epochs: number;
  batchSize: number;
  learningRate: number;
  chunks: number;
  questions?: string;
  heldOut?: string;
  seed?: number;
  set?: string[];
  detach?: boolean;
  withStack?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command.addHelpText(
      'after',
      examples(
        ['coldstart collect sft-1 --teacher MODEL --questions gsm8k.jsonl', 'what was right becomes a set'],
        ['coldstart train sft-1 --recipe my-recipe.ts --run-id warm', 'fine-tune a policy on it'],
      ),
    );
    defineCollect(command, act);
    defineTeacher(command, act);
    defineTrain(command, act);
    defineShow(command, act);
    defineList(command, act);
  },
};

const rate = (text: string) => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number above 0, at most 1.');
  return value;
};

const teacherOptions = (command: Command) =>
  command
    .requiredOption('--teacher <model>', "the model's name at the endpoint")
    .option('--url <url>', 'base URL of the endpoint; METAAGENTX_ENDPOINT_URL unless told')
    .option(
      '--questions <file>',
      'a questions file (JSONL), one in five of which is held out; the toy questions unless told',
    )
    .option('--held-out <file>', 'questions for later evaluations, in place of one in five')
    .option(
      '--set <path=value>',
      'change one field of the recipe `teacher`, e.g. policy.init.requestsPerMinute=20',
      collected,
    );

function defineCollect(command: Command, act: Act): void {
  const collect = command
    .command('collect')
    .summary('let a teacher design and execute, and keep what was right')
    .description(
      'Runs the prompts of both roles against an OpenAI-compatible endpoint. Gpu workers read the key from METAAGENTX_ENDPOINT_KEY.',
    )
    .argument('<set>', 'name of the set');
  teacherOptions(collect)
    .option('--designs <n>', 'designs a question, each executed once', wholeNumber(1), 2)
    .option('--limit <n>', 'ask only the first so many questions', wholeNumber(1))
    .option('--calls <n>', 'model calls that it may take', wholeNumber(1))
    .option('--tokens <n>', 'tokens of prompts and responses that it may take', wholeNumber(1))
    .option('--with-stack', 'start servers and workers here where none are running')
    .addHelpText(
      'after',
      `
The same command goes on with a collection that was interrupted, and shows one that is finished.
` +
        examples(
          ['coldstart collect sft-1 --teacher MODEL --questions gsm8k.jsonl --with-stack', 'all questions'],
          ['coldstart collect sft-2 --teacher MODEL --url http://127.0.0.1:8000/v1 --calls 5000', 'within a budget'],
        ),
    );
  act<CollectOptions>(collect, async (cli, [setId], options) => {
    const [{ collect, storeTeacher }, { setResult }, { trainingNeeds, withSession }] = await Promise.all([
      import('../../coldstart/collect.ts'),
      import('../../coldstart/set-result.ts'),
      import('../../session.ts'),
    ]);
    const prepared = await prepareFrom(cli, setId!, options);
    return withSession(cli, trainingNeeds(options.withStack), async (session) => {
      await storeTeacher(session, prepared);
      return setResult(await collect(cli, session, prepared, options));
    });
  });
}

async function prepareFrom(cli: Cli, setId: string, { teacher: model, url, ...options }: TeacherOptions) {
  const { prepareTeacher } = await import('../../coldstart/collect.ts');
  return prepareTeacher({ setId, model, url: url ?? cli.environment.METAAGENTX_ENDPOINT_URL, ...options });
}

function defineTeacher(command: Command, act: Act): void {
  const teacher = command
    .command('teacher')
    .summary('name a model behind an endpoint, for eval and solve')
    .description('Stores a run that a model behind an endpoint answers for; nothing is asked yet.')
    .argument('<run>', 'name of the run');
  teacherOptions(teacher).addHelpText(
    'after',
    examples(['coldstart teacher big --teacher MODEL --questions gsm8k.jsonl', 'then: eval big, solve big "…"']),
  );
  act<TeacherOptions>(teacher, async (cli, [runId], options) => {
    const [{ storeTeacher }, { withSession }] = await Promise.all([
      import('../../coldstart/collect.ts'),
      import('../../session.ts'),
    ]);
    const prepared = await prepareFrom(cli, runId!, options);
    return withSession(cli, { stack: 'started', workers: 'none' }, async (session) => {
      await storeTeacher(session, prepared);
      return { data: { runId: prepared.runId }, text: `measure it: npx metaagentx eval ${prepared.runId}` };
    });
  });
}

function defineTrain(command: Command, act: Act): void {
  const train = command
    .command('train')
    .summary('fine-tune a policy on a set')
    .description('Starts a run whose cold start is the set; stages follow only when told (--set stages.count=N).')
    .argument('<set>', 'a finished set')
    .requiredOption('--recipe <name|file>', 'a recipe of runs/ by name, or the path of a recipe file')
    .option('--run-id <id>', 'name of the run; derived from the recipe when left out')
    .option('--epochs <n>', 'passes over the examples', wholeNumber(1), 3)
    .option('--batch-size <n>', 'examples of one optimizer step', wholeNumber(1), 16)
    .option('--learning-rate <x>', 'at its highest', rate, 1e-5)
    .option('--chunks <n>', 'activities that the steps are divided into', wholeNumber(1), 4)
    .option('--questions <file>', 'questions of the run, see `train`')
    .option('--held-out <file>', 'its held-out questions, see `train`')
    .option('--seed <n>', 'seed of every random draw of the run', wholeNumber(0))
    .option('--set <path=value>', 'change one field of the recipe; may be repeated', collected)
    .option('--detach', 'return when the run has started; workers elsewhere do the work')
    .option('--with-stack', 'start servers and workers here where none are running')
    .addHelpText(
      'after',
      examples(['coldstart train sft-1 --recipe my-recipe.ts --epochs 2', 'fine-tuning alone, then an evaluation']),
    );
  act<TrainOptions>(train, (cli, [setId], options) => trainOn(cli, setId!, options));
}

async function trainOn(cli: Cli, setId: string, options: TrainOptions): Promise<CommandResult> {
  checkDetaching(options);
  const [{ prepareRun }, { trainingNeeds, withSession }, { launch }, { readSet }, { checkForm, coldStartOf }] =
    await Promise.all([
      import('../../prepare-run.ts'),
      import('../../session.ts'),
      import('../../launch.ts'),
      import('../../../activities/coldstart/read-set.ts'),
      import('../../coldstart/train-on-set.ts'),
    ]);
  return withSession(cli, trainingNeeds(options.withStack), async (session) => {
    const found = await readSet(session.store, setId);
    const { set = [], epochs: _e, batchSize: _b, learningRate: _l, chunks: _c, ...request } = options;
    const own = [`coldStart=${JSON.stringify(coldStartOf(found, options))}`, 'stages.count=0'];
    const prepared = await prepareRun({ ...request, set: [...own, ...set] });
    checkForm(found, prepared.recipe);
    prepared.datasets.notes.forEach((note) => cli.log(note));
    return launch(cli, session, prepared, options.detach ?? false);
  });
}

function defineShow(command: Command, act: Act): void {
  const show = command
    .command('show')
    .summary('show a set')
    .description('Shows what a finished set holds and where it came from.')
    .argument('<set>', 'its name')
    .option('--examples', 'print its examples, one JSON object a line')
    .addHelpText(
      'after',
      examples(
        ['coldstart show sft-1', 'counts, teacher, cost'],
        ['coldstart show sft-1 --examples', 'for other trainers'],
      ),
    );
  act<{ examples?: boolean }>(show, async (cli, [setId], options) => {
    const [{ readExamples, readSet }, { setResult }, { withSession }] = await Promise.all([
      import('../../../activities/coldstart/read-set.ts'),
      import('../../coldstart/set-result.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
      const result = setResult(await readSet(store, setId!));
      if (!options.examples) return result;
      const lines = (await readExamples(store, setId!)).map(({ role, question, source, messages, response }) => ({
        role,
        question,
        source,
        messages,
        response,
      }));
      return { ...result, lines };
    });
  });
}

function defineList(command: Command, act: Act): void {
  const list = command
    .command('list')
    .summary('list the sets')
    .description('Lists the finished sets of the store.')
    .addHelpText('after', examples(['coldstart list', 'newest last']));
  act(list, async (cli) => {
    const [{ setResult }, { withSession }] = await Promise.all([
      import('../../coldstart/set-result.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
      const { sound, refused } = await store.sftSets.findSound({}, { sort: { createdAt: 1 } });
      refused.forEach((why) => cli.log(why));
      const found = sound.map(setResult);
      const none = 'no sets yet. Collect one with: npx metaagentx coldstart collect';
      return {
        data: { sets: found.map(({ data }) => data) },
        text: found.length === 0 ? none : found.map(({ text }) => text.split('\n')[0]).join('\n'),
      };
    });
  });
}
