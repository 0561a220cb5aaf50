/** `verify`: answers against gold answers, one or a file of them, by the rules that rewards come from. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { DomainError } from '../../../shared/errors.ts';

interface Options {
  gold?: string;
  answer?: string;
  batch?: string;
  skipBad?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .option('--gold <text>', 'the right answer, or a worked solution that ends with it')
      .option('--answer <text>', 'what a model replied: the answer is looked for as in training')
      .option('--batch <file>', 'judge every line of a JSON Lines file with the fields gold and answer')
      .option('--skip-bad', 'with --batch: report malformed lines in place instead of stopping at the first')
      .addHelpText(
        'after',
        `
One pair: exit code 0 when the answer is right, 1 when it is wrong.
A batch prints one JSON line for each line of the file, in its order: {"correct":true,"how":"integer","answer":"42"},
with the line's id where it has one. Exit code 0 when every line was judged, whatever the verdicts.
` +
          examples(
            ['verify --gold 0.5 --answer "so it is \\boxed{1/2}"', 'rationals and decimals are compared by value'],
            ['verify --gold "#### 72" --answer "Answer: 72 clips"', 'extraction from plain text'],
            ['verify --batch pairs.jsonl > verdicts.jsonl', 'a file of {"gold": "…", "answer": "…"} lines'],
          ),
      );
    act<Options>(command, (cli, _args, options) => run(cli, options));
  },
};

async function run(cli: Cli, { gold, answer, batch, skipBad }: Options): Promise<CommandResult> {
  if (batch !== undefined) {
    if (gold !== undefined || answer !== undefined) throw usage('--batch excludes --gold and --answer');
    return judgeFile(cli, batch, skipBad ?? false);
  }
  if (skipBad === true) throw usage('--skip-bad goes with --batch');
  if (gold === undefined) throw usage('--gold is missing');
  if (answer === undefined) throw usage('--answer is missing');
  return judgeOne(gold, answer);
}

const usage = (what: string) =>
  new DomainError('InvalidInput', `${what}: give --gold TEXT and --answer TEXT, or --batch FILE.jsonl`);

async function judgeOne(gold: string, answer: string): Promise<CommandResult> {
  const { verifyMath } = await import('../../../shared/verify/math.ts');
  const verdict = verifyMath(gold, answer);
  const found = verdict.answer === null ? 'no answer was found in the text' : `answer found: ${verdict.answer}`;
  return {
    data: { ...verdict },
    text: `${verdict.correct ? 'right' : 'wrong'} (decided by: ${verdict.how}; ${found})`,
    exitCode: verdict.correct ? exitCodes.ok : exitCodes.failure,
  };
}

async function judgeFile(cli: Cli, path: string, skipBad: boolean): Promise<CommandResult> {
  const [{ readPairs }, { verifyMath }] = await Promise.all([
    import('../../../activities/questions/read-pairs.ts'),
    import('../../../shared/verify/math.ts'),
  ]);
  const pairs = await readPairs(path, skipBad);
  if (pairs.length === 0)
    throw new DomainError('InvalidInput', `'${path}' holds no pair: expected one JSON object a line`);
  const lines = pairs.map((pair) => {
    if (pair instanceof DomainError) return { correct: false, how: 'malformed', answer: null, error: pair.message };
    const { correct, how, answer } = verifyMath(pair.gold, pair.answer);
    return { ...(pair.id === null ? {} : { id: pair.id }), correct, how, answer };
  });
  const right = lines.filter(({ correct }) => correct).length;
  const bad = lines.filter(({ how }) => how === 'malformed').length;
  cli.log(`${lines.length} pairs: ${right} right, ${lines.length - right - bad} wrong, ${bad} malformed`);
  return { data: { pairs: lines.length, right, malformed: bad }, text: '', lines };
}
