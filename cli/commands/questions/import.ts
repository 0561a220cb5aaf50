/** `questions import`: files of one benchmark, as their publisher offers them, into a questions file. */
import type { Command } from 'commander';
import { Argument } from 'commander';
import type { ImportReport } from '../../../activities/questions/import-questions.ts';
import { questionFormats } from '../../../shared/questions/formats/registry.ts';
import type { Act, Cli } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import { counted } from '../../view/numbers.ts';
import { renderFacts } from '../../view/table.ts';

/** What `import` and `pull` have in common. */
export interface ReadingOptions {
  out?: string;
  skipBad?: boolean;
  dedupe?: boolean;
  limit?: number;
  maxTests?: number;
  overwrite?: boolean;
}

export const readingOptions = (command: Command): Command =>
  command
    .option('-o, --out <file>', 'the questions file to write')
    .option('--skip-bad', 'count malformed records instead of stopping at the first')
    .option('--dedupe', 'leave out questions whose normalised text an earlier one has')
    .option('--limit <n>', 'stop after so many questions', wholeNumber(1))
    .option('--max-tests <n>', 'keep the first so many tests of a code question', wholeNumber(1))
    .option('--overwrite', 'replace the file where it exists');

export function defineImport(parent: Command, act: Act): void {
  const names = questionFormats.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`);
  const command = readingOptions(
    parent
      .command('import')
      .summary('make a questions file from the files of a benchmark')
      .description(
        'Reads JSON Lines, JSON (each also gzipped) and Parquet as they are downloaded; writes a questions file.',
      )
      .addArgument(
        new Argument('<format>', 'whose layout the files have').choices(questionFormats.map(({ name }) => name)),
      )
      .argument('<files...>', '.jsonl, .ndjson, .json, each also .gz, or .parquet'),
  ).addHelpText(
    'after',
    `
Formats:
${names.join('\n')}

A malformed record stops the import with file, line, field and reason. Without --out the file is FORMAT.questions.jsonl;
beside it stands its provenance (digests of the sources, options).
` +
      examples(
        ['questions import gsm8k train.parquet --out gsm8k.jsonl', 'a downloaded file'],
        [
          'questions import livecodebench test6.jsonl --max-tests 50 --skip-bad',
          'code questions, damaged records counted',
        ],
      ),
  );
  act<ReadingOptions>(command, async (cli, [format, ...files], options) => {
    const { importQuestions } = await import('../../../activities/questions/import-questions.ts');
    const report = await importQuestions({
      ...options,
      format: format!,
      files,
      out: options.out ?? `${format}.questions.jsonl`,
    });
    return { data: { ...report }, text: importText(cli, report) };
  });
}

export function importText({ log }: Cli, report: ImportReport): string {
  const { count, path, digest, records, skipped, bad, duplicates } = report;
  for (const message of bad.messages) log(message);
  if (bad.count > bad.messages.length) log(`… and ${bad.count - bad.messages.length} more`);
  const reasons = Object.entries(skipped).map(([reason, number]) => `${number} ${reason}`);
  return renderFacts([
    ['written', `${counted(count, 'question')} to ${path}`],
    ['digest', digest],
    ['records read', String(records)],
    ['left out', reasons.length === 0 ? null : reasons.join(', ')],
    ['malformed', bad.count === 0 ? null : String(bad.count)],
    ['copies', duplicates === 0 ? null : String(duplicates)],
  ]).join('\n');
}
