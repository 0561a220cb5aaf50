/** `study`: a grid of runs and measurements with one table; `study list|show`: what has been studied. */
import type { Command } from 'commander';
import type { Act, Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { checkCsv, csvOption } from '../../csv.ts';
import { checkDetaching } from '../../detaching.ts';
import { studyCsvKinds } from '../../study/study-result.ts';
import type { StudyCsvKind } from '../../study/study-result.ts';
import { moment } from '../../view/numbers.ts';
import { renderTable } from '../../view/table.ts';
import { DomainError } from '../../../shared/errors.ts';

interface Options {
  out?: string;
  withStack?: boolean;
  detach?: boolean;
}

const defaultOut = 'studies';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<study>', 'a study of runs/studies by name, or the path of a study file')
      .option('--out <folder>', `folder for the table and the CSV files (default: ${defaultOut})`)
      .option('--detach', 'return when the study has started; workers elsewhere do the work')
      .option('--with-stack', 'start servers and workers here where none are running')
      .addHelpText(
        'after',
        `
The same command goes on with a study that was interrupted, and shows one that is finished.
` +
          examples(
            ['study toy-ablations --with-stack', 'a shipped study, all in this terminal'],
            ['study my-study.ts --detach', 'with servers and workers from `metaagentx up`'],
            ['study show toy-ablations', 'its table, as far as it is'],
            ['study show toy-ablations --csv curves', 'learning curves for a figure'],
          ),
      );
    act<Options>(command, (cli, [name], options) => run(cli, name!, options));
    defineList(command, act);
    defineShow(command, act);
  },
};

async function run(cli: Cli, name: string, { out, withStack, detach }: Options): Promise<CommandResult> {
  checkDetaching({ detach, withStack });
  if (detach && out !== undefined) {
    throw new DomainError(
      'InvalidInput',
      '--out is for the command that waits for the end of the study: leave it out of the one with --detach',
      { out },
    );
  }
  const [
    { loadStudy, prepareStudy },
    { startStudy, awaitStudy },
    { studyResult, writeStudyFiles },
    { trainingNeeds, withSession },
  ] = await Promise.all([
    import('../../study/prepare-study.ts'),
    import('../../study/run-study.ts'),
    import('../../study/study-result.ts'),
    import('../../session.ts'),
  ]);
  const prepared = await prepareStudy(await loadStudy(name));
  const studyId = prepared.study.name;
  return withSession(cli, trainingNeeds(withStack), async (session) => {
    await startStudy(cli, session, prepared);
    if (detach) {
      return {
        data: { studyId, cells: prepared.cells.length },
        text: `study ${studyId} runs in the background. Look at it with: npx metaagentx study show ${studyId}`,
      };
    }
    const found = await awaitStudy(cli, session, studyId);
    const files = await writeStudyFiles(session.store, found, out ?? defaultOut);
    const { data, text, exitCode } = await studyResult(session.store, found);
    const written = files.map((file) => `written: ${file}`);
    return { data: { ...data, files }, exitCode, text: [text, '', ...written].join('\n') };
  });
}

function defineList(command: Command, act: Act): void {
  const list = command
    .command('list')
    .summary('list the studies')
    .description('Lists the studies of the store.')
    .addHelpText('after', examples(['study list', 'newest last']));
  act(list, async (cli) => {
    const { withSession } = await import('../../session.ts');
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
      const { sound: found, refused } = await store.studies.findSound({}, { sort: { createdAt: 1 } });
      refused.forEach((why) => cli.log(why));
      const studies = found.map(({ _id, study, status, plan, createdAt }) => ({
        studyId: _id,
        description: study.description,
        status,
        cells: plan.cells.length,
        createdAt,
      }));
      const lines = renderTable(
        ['study', 'status', 'cells', 'created', 'description'].map((title) => ({ title })),
        studies.map((each) => [
          each.studyId,
          each.status,
          String(each.cells),
          moment(each.createdAt),
          each.description,
        ]),
      );
      const none = 'no studies yet. Start one with: npx metaagentx study toy-ablations --with-stack';
      return { data: { studies }, text: studies.length === 0 ? none : lines.join('\n') };
    });
  });
}

function defineShow(command: Command, act: Act): void {
  const show = command
    .command('show')
    .summary('show a study')
    .description('Shows the table of a study, as far as it is.')
    .argument('<study>', 'its name')
    .addOption(csvOption(studyCsvKinds))
    .addHelpText(
      'after',
      `
Of a finished study it also names what the table rests on and the store has no more, or has otherwise: exit code 1 then.
` +
        examples(
          ['study show toy-ablations', 'mean ± deviation over seeds'],
          ['study show toy-ablations --csv cells', 'a row a run'],
        ),
    );
  act<{ csv?: StudyCsvKind }>(show, async (cli, [studyId], { csv }) => {
    checkCsv(cli, csv);
    const [{ readStudy }, { studyResult }, { withSession }] = await Promise.all([
      import('../../study/run-study.ts'),
      import('../../study/study-result.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) =>
      studyResult(store, await readStudy(store, studyId!), csv),
    );
  });
}
