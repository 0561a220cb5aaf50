/** `questions pull`: a benchmark from the public hub, its bytes pinned by digest. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { cacheFolder } from '../../../bootstrap/paths.mjs';
import { questionFormats } from '../../../shared/questions/formats/registry.ts';
import { catalogue } from '../../../shared/questions/catalogue.ts';
import type { Act, Cli, CommandResult } from '../../command.ts';
import { collected, examples } from '../../command.ts';
import { importText, readingOptions } from './import.ts';
import type { ReadingOptions } from './import.ts';

interface Options extends ReadingOptions {
  file?: string[];
  format?: string;
  revision?: string;
  hub?: string;
  sha256?: Record<string, string>;
  update?: boolean;
}

const digestOf = (text: string, earlier: Record<string, string> = {}): Record<string, string> => {
  const match = /^(.+)=([0-9a-fA-F]{64})$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected FILE=DIGEST with 64 hexadecimal digits.');
  return { ...earlier, [match[1]!]: match[2]!.toLowerCase() };
};

export function definePull(parent: Command, act: Act): void {
  const names = catalogue.map(({ name, repository, format }) => `  ${name.padEnd(24)} ${repository} (${format})`);
  const command = readingOptions(
    parent
      .command('pull')
      .summary('download a benchmark from the public hub and import it')
      .description(
        'Downloads the files of a data set, imports them, and writes down the digest of every file (OUT.lock.json).',
      )
      .argument('<name>', 'a name of the list below, or OWNER/NAME with --file and --format'),
  )
    .option('--file <path>', 'a file of the data set; may be repeated', collected)
    .addOption(
      new Option('--format <name>', 'whose layout the files have').choices(questionFormats.map(({ name }) => name)),
    )
    .option('--revision <name>', 'branch, tag or commit of the data set')
    .option('--hub <url>', 'base URL of the hub; else HF_ENDPOINT, else the public one')
    .option('--sha256 <file=digest>', 'refuse a file with another digest; may be repeated', digestOf)
    .option('--update', 'accept files that have changed since the last pull, and write a new lock')
    .addHelpText(
      'after',
      `
Known data sets:
${names.join('\n')}

A second pull takes files with the pinned digest from the cache; other bytes are refused until --update accepts them.
A token in HF_TOKEN is sent to the hub, for data sets whose terms one must accept.
` +
        examples(
          ['questions pull aime-2025', 'writes aime-2025.questions.jsonl'],
          [
            'questions pull me/my-set --file data/train.jsonl --format generic --out mine.jsonl',
            'any data set of the hub',
          ],
        ),
    );
  act<Options>(command, (cli, [name], options) => pull(cli, name!, options));
}

async function pull(cli: Cli, name: string, { file, hub, out, ...options }: Options): Promise<CommandResult> {
  const { pullQuestions } = await import('../../../activities/questions/pull-questions.ts');
  const { environment } = cli;
  const report = await pullQuestions({
    ...options,
    name,
    files: file,
    out: out ?? `${name.split('/').pop()}.questions.jsonl`,
    cacheFolder: join(cacheFolder(environment), 'questions'),
    hubUrl: hub ?? environment['HF_ENDPOINT'],
    token: environment['HF_TOKEN'],
  });
  const files = report.files.map(({ url, sha256, cached }) => `${sha256}  ${url}${cached ? ' (cached)' : ''}`);
  return { data: { ...report }, text: [...files, importText(cli, report)].join('\n') };
}
