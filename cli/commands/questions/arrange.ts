/** `questions split` and `mix`: new questions files from old ones, by seeded draws. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Act } from '../../command.ts';
import { collected, examples, wholeNumber } from '../../command.ts';
import { counted } from '../../view/numbers.ts';
import { DomainError } from '../../../shared/errors.ts';

const arranging = () => import('../../../activities/questions/arrange-questions.ts');

interface ArrangeOptions {
  seed: string;
  minDifficulty?: number;
  maxDifficulty?: number;
  kind?: string[];
  dedupe: boolean;
  overwrite?: boolean;
}

const number = (text: string): number => {
  if (text.trim() === '' || !Number.isFinite(Number(text))) throw new InvalidArgumentError('expected a number.');
  return Number(text);
};

const arrangeOptions = (command: Command): Command =>
  command
    .option('--seed <text>', 'seed of the draws', '0')
    .option('--min-difficulty <n>', 'leave out easier questions, and those without a difficulty', number)
    .option('--max-difficulty <n>', 'leave out harder ones, and those without a difficulty', number)
    .option('--kind <name>', 'keep questions of this kind; may be repeated', collected)
    .option('--no-dedupe', 'keep questions whose normalised text another one has')
    .option('--overwrite', 'replace files that exist');

export function defineArranging(parent: Command, act: Act): void {
  defineSplit(parent, act);
  defineMix(parent, act);
}

interface SplitCommandOptions extends ArrangeOptions {
  ratio: number;
  out: string;
  rest: string;
}

function defineSplit(parent: Command, act: Act): void {
  const command = arrangeOptions(
    parent
      .command('split')
      .summary('divide a file in two, by seed')
      .description("Draws a share of the questions by seed and id: the file's order plays no part.")
      .argument('<file>', 'a questions file')
      .requiredOption('--ratio <share>', 'share of the questions that goes to --out, between 0 and 1', number)
      .requiredOption('-o, --out <file>', 'the share')
      .requiredOption('--rest <file>', 'all others'),
  ).addHelpText(
    'after',
    examples(
      ['questions split all.jsonl --ratio 0.9 --out train.jsonl --rest held-out.jsonl', 'nine in ten for training'],
      ['questions split math.jsonl --ratio 0.5 --min-difficulty 4 --out a.jsonl --rest b.jsonl', 'only the hard ones'],
    ),
  );
  act<SplitCommandOptions>(command, async (_cli, [file], { kind, out, rest, ...options }) => {
    const { splitQuestionsFile } = await arranging();
    const report = await splitQuestionsFile({ ...options, kinds: kind, file: file!, out: [out, rest] });
    const { first, second, duplicates, alike } = report;
    return {
      data: { ...report },
      text: [
        ...[first, second].map(({ count, path, digest }) => `${counted(count, 'question')} to ${path} (${digest})`),
        ...(duplicates === 0 ? [] : [`${duplicates} left out as copies`]),
        ...(alike === 0 ? [] : [`${alike} of ${first.path} look much like one of ${second.path}: see questions check`]),
      ].join('\n'),
    };
  });
}

interface MixCommandOptions extends ArrangeOptions {
  out: string;
  total?: number;
}

function defineMix(parent: Command, act: Act): void {
  const command = arrangeOptions(
    parent
      .command('mix')
      .summary('draw one file from several, in given shares')
      .description('Draws questions without repeats from every file in the shares of the weights, and shuffles them.')
      .argument('<sources...>', 'FILE:WEIGHT, or FILE for a weight of 1')
      .requiredOption('-o, --out <file>', 'the questions file to write')
      .option('--total <n>', 'questions in all; else as many as the shares allow', wholeNumber(1)),
  ).addHelpText(
    'after',
    examples([
      'questions mix gsm8k.jsonl:1 apps.jsonl:3 --total 4000 --out train.jsonl',
      'a quarter mathematics, the rest code',
    ]),
  );
  act<MixCommandOptions>(command, async (_cli, words, { kind, ...options }) => {
    const { mixQuestionsFiles } = await arranging();
    const report = await mixQuestionsFiles({ ...options, kinds: kind, sources: words.map(sourceOf) });
    return {
      data: { ...report },
      text: [
        `${counted(report.count, 'question')} to ${report.path} (${report.digest})`,
        ...report.from.map(({ file, count }) => `${count} from ${file}`),
        ...(report.duplicates === 0 ? [] : [`${report.duplicates} left out as copies`]),
      ].join('\n'),
    };
  });
}

function sourceOf(word: string): { file: string; weight: number } {
  const match = /^(.+):([^:/\\]+)$/.exec(word);
  if (match === null) return { file: word, weight: 1 };
  const weight = Number(match[2]);
  if (!(weight > 0) || !Number.isFinite(weight)) {
    throw new DomainError(
      'InvalidInput',
      `weight in '${word}' is '${match[2]}', expected a number above 0 as in FILE:2`,
    );
  }
  return { file: match[1]!, weight };
}
