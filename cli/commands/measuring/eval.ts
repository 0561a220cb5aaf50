/** `eval`: what a policy version can do on questions; `eval list|show|compare`: what has been measured. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Act, Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import { checkCsv, csvOption } from '../../csv.ts';
import { csvKinds } from '../../measure/evaluation-result.ts';
import type { CsvKind } from '../../measure/evaluation-result.ts';
import { DomainError } from '../../../shared/errors.ts';
import { parseBudget } from '../../../shared/systems/registry.ts';
import type { Budget } from '../../../shared/systems/system.ts';

interface Options {
  questions?: string;
  system?: string;
  budget?: Budget;
  searchRounds?: number;
  searchQuestions?: number;
  searchCalls?: number;
  samples: number;
  limit?: number;
  again?: boolean;
  csv?: CsvKind;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<policy>', 'RUN@vN, or RUN@latest')
      .option('--questions <file>', "a questions file (JSONL); without it, the run's held-out questions")
      .option('--system <name>', "which system answers, see `eval systems`; the run's own designs unless told")
      .option('--budget <unit=n>', 'what one answer may cost: calls=N or tokens=N', budgetOf)
      .option('--search-rounds <n>', 'candidates or steps of a system that is searched for', wholeNumber(1))
      .option('--search-questions <n>', 'training questions that judge each of them, at most all', wholeNumber(1))
      .option('--search-calls <n>', 'model calls that the search may take; looked at between rounds', wholeNumber(1))
      .option('-k, --samples <k>', 'designs a question, each executed once', wholeNumber(1), 3)
      .option('--limit <n>', 'use only the first so many questions', wholeNumber(1))
      .option('--again', 'measure anew, with fresh designs, what has been measured')
      .addOption(csvOption(csvKinds))
      .addHelpText(
        'after',
        examples(
          ['eval toy-1@latest -k 3', "avg@3 of the newest version on the run's held-out questions"],
          ['eval toy-1@v4 -k 3 --questions aime24.jsonl', 'an earlier version, on your questions'],
          ['eval toy-1@latest -k 3 --json', 'the same for a script'],
          [
            'eval toy-1@latest --system self-consistency --budget calls=4',
            'a baseline with the same policy, at a matched budget',
          ],
          ['eval toy-1@v4 --system aflow --search-rounds 20', 'search for a script first, then measure it'],
          ['eval list toy-1', 'what has been measured'],
          ['eval show toy-1/eval-stage-02 --recompute', 'judge its stored answers anew and compare'],
          ['eval compare toy-1/eval-stage-02 toy-1/eval-cold-start', 'the difference, question by question'],
        ),
      );
    act<Options>(command, (cli, [policy], options) => run(cli, policy!, options));
    defineSystems(command, act);
    defineList(command, act);
    defineShow(command, act);
    defineCompare(command, act);
  },
};

/** A budget as commander wants its parsers: refusals in its own words. */
function budgetOf(text: string): Budget {
  try {
    return parseBudget(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function defineSystems(command: Command, act: Act): void {
  const list = command
    .command('systems')
    .summary('list the systems under comparison')
    .description('Every system that --system may name, the paper it follows, and where it departs from it.')
    .addHelpText('after', examples(['eval systems', 'names, papers, departures']));
  act(list, async (cli) => {
    const { systemsResult } = await import('../../measure/systems-result.ts');
    return systemsResult(cli.paint);
  });
}

function defineList(command: Command, act: Act): void {
  const list = command
    .command('list')
    .summary('list the evaluations')
    .description('Lists the evaluations of one run, or of all.')
    .argument('[run]', 'the run')
    .addHelpText('after', examples(['eval list', 'all evaluations, newest last'], ['eval list toy-1', 'of one run']));
  act(list, async (cli, [runId]) => {
    const [{ listEvaluations }, { withSession }] = await Promise.all([
      import('../../measure/list-evaluations.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, ({ store }) => listEvaluations(store, runId));
  });
}

function defineShow(command: Command, act: Act): void {
  const show = command
    .command('show')
    .summary('show one evaluation')
    .description('Shows an evaluation as it is stored, or derives it again from the stored answers.')
    .argument('<id>', 'id of the evaluation, RUN/eval-NAME')
    .option('--recompute', 'judge every stored answer anew, compute the table from that, and compare')
    .addOption(csvOption(csvKinds))
    .addHelpText(
      'after',
      `
Exit code 1 when --recompute finds a difference.
` +
        examples(
          ['eval show toy-1/eval-stage-02', 'metrics with intervals, and costs'],
          ['eval show toy-1/eval-stage-02 --csv questions', 'a row a question'],
          ['eval show toy-1/eval-stage-02 --recompute', 'the same numbers, from the database alone'],
        ),
    );
  act<{ recompute?: boolean; csv?: CsvKind }>(show, async (cli, [id], { recompute, csv }) => {
    checkCsv(cli, csv);
    if (recompute && csv !== undefined)
      throw new DomainError('InvalidInput', '--recompute compares and prints no CSV: leave out one of the two', {
        csv,
      });
    const [{ readEvaluation }, { evaluationResult }, { recomputeResult }, { withSession }] = await Promise.all([
      import('../../measure/evaluate.ts'),
      import('../../measure/evaluation-result.ts'),
      import('../../measure/recompute-result.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
      const found = await readEvaluation(store, id!);
      return recompute ? recomputeResult(cli, store, found) : evaluationResult(found, cli.paint, csv);
    });
  });
}

function defineCompare(command: Command, act: Act): void {
  const compare = command
    .command('compare')
    .summary('compare two evaluations of the same questions')
    .description('The difference of avg@k, paired by question, with its 95 % bootstrap interval.')
    .argument('<first>', 'id of an evaluation')
    .argument('<second>', 'id of the one it is compared with')
    .addHelpText(
      'after',
      examples(['eval compare toy-1/eval-stage-02 toy-1/eval-cold-start', 'what two stages added to the cold start']),
    );
  act(compare, async (cli, [first, second]) => {
    const [{ readEvaluation }, { comparisonResult }, { withSession }] = await Promise.all([
      import('../../measure/evaluate.ts'),
      import('../../measure/comparison-result.ts'),
      import('../../session.ts'),
    ]);
    return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) =>
      comparisonResult(await readEvaluation(store, first!), await readEvaluation(store, second!)),
    );
  });
}

async function run(cli: Cli, policy: string, options: Options): Promise<CommandResult> {
  const [
    { evaluate, readQuestions },
    { evaluationResult },
    { checkSearch, checkSystem },
    { searchSettings },
    { withSession },
    { parsePolicyReference },
  ] = await Promise.all([
    import('../../measure/evaluate.ts'),
    import('../../measure/evaluation-result.ts'),
    import('../../measure/answering-system.ts'),
    import('../../measure/search.ts'),
    import('../../session.ts'),
    import('../../../shared/domain/ids.ts'),
  ]);
  parsePolicyReference(policy);
  const { samples, limit, again = false, csv } = options;
  const { searchRounds: rounds, searchQuestions, searchCalls: calls } = options;
  checkCsv(cli, csv);
  const given = { rounds, questions: searchQuestions, calls };
  const system = checkSystem(options.system, options.budget ?? null, searchSettings(given));
  checkSearch(system.system, given, (setting) => `--search-${setting}`);
  const questions = options.questions === undefined ? undefined : await readQuestions(options.questions);
  const request = { policy, questions, system, samples, limit, again };
  return withSession(cli, { stack: 'started', workers: 'polling' }, async (session) =>
    evaluationResult(await evaluate(cli, session, request), cli.paint, csv),
  );
}
