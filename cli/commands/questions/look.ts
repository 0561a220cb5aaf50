/** `questions show`, `stats` and `check`: looking at questions files without changing them. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { CheckReport, StatsReport } from '../../../activities/questions/inspect-questions.ts';
import type { Question } from '../../../shared/domain/question.ts';
import type { Spread } from '../../../shared/questions/statistics.ts';
import type { Act } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { clip, counted, percent } from '../../view/numbers.ts';
import { renderFacts } from '../../view/table.ts';

const inspecting = () => import('../../../activities/questions/inspect-questions.ts');

export function defineLooking(parent: Command, act: Act): void {
  defineShow(parent, act);
  defineStats(parent, act);
  defineCheck(parent, act);
}

function defineShow(parent: Command, act: Act): void {
  const command = parent
    .command('show')
    .summary('show questions of a file')
    .description('Shows a question by its id, or the first ones, with what they are judged by.')
    .argument('<file>', 'a questions file')
    .option('--id <id>', 'the question with this id')
    .option('--count <n>', 'the first so many (default: 1)', wholeNumber(1))
    .addHelpText(
      'after',
      examples(
        ['questions show gsm8k.jsonl --count 3', 'the first three'],
        ['questions show gsm8k.jsonl --id q7', 'one of them'],
      ),
    );
  act<{ id?: string; count?: number }>(command, async (cli, [file], options) => {
    const questions = await (await inspecting()).showQuestions({ file: file!, ...options });
    return { data: { questions }, text: questions.map((question) => questionText(question, cli.width)).join('\n\n') };
  });
}

const shownTests = 3;

function questionText({ id, text, kind, difficulty, verifier }: Question, width: number): string {
  const facts: (readonly [string, string | null])[] = [
    ['id', id],
    ['kind', kind],
    ['difficulty', difficulty === null ? null : String(difficulty)],
  ];
  if (verifier.type !== 'code') {
    const gold = verifier.type === 'math' ? verifier.gold : null;
    return [...renderFacts([...facts, ['gold', gold]]), '', text].join('\n');
  }
  const { style, functionName, tests, compare, timeLimitMs, memoryLimitMb, starterCode } = verifier;
  const rows = tests.slice(0, shownTests).map((test, i) => {
    const half = Math.max(20, (width - 24) >> 1);
    return [`test ${i}`, `${clip(test.input, half)} → ${clip(test.expected, half)}`] as const;
  });
  return [
    ...renderFacts([
      ...facts,
      [
        'judged by',
        `${counted(tests.length, 'test')} (${style === 'call' ? `calls ${functionName}` : 'standard input and output'}, compared ${compare})`,
      ],
      ['limits', `${timeLimitMs} ms, ${memoryLimitMb} MB`],
      ...rows,
    ]),
    '',
    text,
    ...(starterCode === null ? [] : ['', starterCode]),
  ].join('\n');
}

function defineStats(parent: Command, act: Act): void {
  const command = parent
    .command('stats')
    .summary('count what a file holds')
    .description('Numbers of a questions file: kinds, lengths, difficulty, tests, repeated texts, provenance.')
    .argument('<file>', 'a questions file')
    .addHelpText(
      'after',
      examples(
        ['questions stats gsm8k.jsonl', 'the whole file'],
        ['questions stats code.jsonl --json', 'for programs'],
      ),
    );
  act(command, async (_cli, [file]) => {
    const report = await (await inspecting()).questionsStats({ file: file! });
    return { data: { ...report }, text: statsText(report) };
  });
}

const spreadText = ({ min, median, mean, max }: Spread) => `${min} … ${median} … ${max} (mean ${mean.toFixed(1)})`;

function statsText(report: StatsReport): string {
  const { count, math, stdio, call, digest, provenance, textLength, tests, difficulty, kinds } = report;
  const sources = provenance.sources.map(
    ({ name, sha256 }) => `${name}${sha256 === null ? '' : ` ${sha256.slice(0, 12)}…`}`,
  );
  return renderFacts([
    ['questions', String(count)],
    ['digest', digest],
    ['made by', [provenance.made, ...sources].join(', ')],
    ['mathematics', math === 0 ? null : `${math}, whole-number answers ${percent(report.wholeNumberGold)}`],
    ['code', stdio + call === 0 ? null : `${stdio} by standard input, ${call} by function calls`],
    ['tests a question', tests === null ? null : spreadText(tests)],
    ['characters', spreadText(textLength)],
    ['difficulty', difficulty === null ? null : `${spreadText(difficulty)}, known for ${difficulty.known}`],
    ['kinds', kinds.map(({ kind, count: number }) => `${kind} ${number}`).join(', ')],
    ['repeated texts', String(report.repeatedTexts)],
  ]).join('\n');
}

const share = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a number above 0 and at most 1.');
  return value;
};

function defineCheck(parent: Command, act: Act): void {
  const command = parent
    .command('check')
    .summary('find repeats, unusable gold answers, and held-out questions that are trained on')
    .description('Checks a questions file, and with --held-out whether questions of that file also stand in it.')
    .argument('<file>', 'the training questions')
    .option('--held-out <file>', 'the questions that are kept for evaluation')
    .option('--gram-length <n>', 'words in a run that counts as common (default: 8)', wholeNumber(1))
    .option('--threshold <share>', 'share of common runs from which a pair is reported (default: 0.5)', share)
    .addHelpText(
      'after',
      `
Exit code 0 when nothing was found, 1 when something was.
` +
        examples([
          'questions check train.jsonl --held-out aime-2025.jsonl',
          'contamination by normalised text and by runs of words',
        ]),
    );
  act<{ heldOut?: string; gramLength?: number; threshold?: number }>(command, async (cli, [file], options) => {
    const report = await (await inspecting()).checkQuestions({ file: file!, ...options });
    return {
      data: { ...report },
      text: checkText(report, cli.width),
      exitCode: report.clean ? exitCodes.ok : exitCodes.failure,
    };
  });
}

function checkText(report: CheckReport, width: number): string {
  const { file, count, heldOut, repeats, unverifiable, contamination, clean } = report;
  const against = heldOut === null ? '' : ` against ${counted(heldOut.count, 'question')} of ${heldOut.file}`;
  return [
    `${counted(count, 'question')} of ${file}${against}: ${clean ? 'nothing found' : 'look at these'}`,
    ...repeats.map(({ id, sameAs }) => `repeat: ${id} has the text of ${sameAs}`),
    ...unverifiable.map(({ id, gold }) => `no answer can match: ${id} has the gold ${clip(gold, width - 40)}`),
    ...contamination.map(({ heldOutId, trainId, same, overlap }) =>
      same
        ? `held out and trained on: ${heldOutId} is ${trainId}`
        : `held out, much like ${trainId}: ${heldOutId} (${percent(overlap)} common)`,
    ),
  ].join('\n');
}
