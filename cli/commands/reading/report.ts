/** `report`: what a run learned, as one file to keep or send. */
import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { DomainError } from '../../../shared/errors.ts';
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import type { ReportData } from '../../report/report-data.ts';

interface Options {
  output?: string;
  md?: boolean;
}

type Form = 'html' | 'md' | 'json';
const forms: Record<string, Form> = { '.html': 'html', '.htm': 'html', '.md': 'md', '.json': 'json' };

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'run id')
      .option('-o, --output <file>', 'write it there; the ending decides: .html, .md or .json')
      .option('--md', 'Markdown, whatever the ending')
      .addHelpText(
        'after',
        `
Charts, configuration, environment, digests of the questions, results with 95 % intervals, and designs for the same questions
before and after each stage. The HTML file needs nothing else: no network, no server. Without -o the Markdown is printed,
with --json the data.
` +
          examples(
            ['report toy-1 -o toy-1.html', 'one file for the browser'],
            ['report toy-1 --md', 'Markdown on stdout'],
            ['report toy-1 --json', 'the numbers'],
          ),
      );
    act<Options>(command, (cli, [runId], options) => report(cli, runId!, options));
  },
};

/** Throws `InvalidInput` for an ending that no form has. */
function formOf({ output, md }: Options): Form {
  if (md === true || output === undefined) return 'md';
  const form = forms[extname(output).toLowerCase()];
  if (form !== undefined) return form;
  throw new DomainError('InvalidInput', `'${output}' ends in none of .html, .md, .json: rename it, or add --md`, {
    output,
  });
}

async function report(cli: Cli, runId: string, options: Options): Promise<CommandResult> {
  const form = formOf(options);
  const [{ withStore }, { readReportData, reportJson }, { codeVersion }] = await Promise.all([
    import('../../reading-session.ts'),
    import('../../report/report-data.ts'),
    import('../../settings.ts'),
  ]);
  const data = await withStore(cli, ({ store }) => readReportData(store, runId));
  const json = reportJson(data);
  const { output } = options;
  if (output === undefined) return { data: json, text: cli.json ? '' : await textOf('md', data, await codeVersion()) };
  const text = await textOf(form, data, await codeVersion());
  await writeFile(output, text).catch((cause: Error) => {
    throw new DomainError('InvalidInput', `the report cannot be written: ${cause.message}`, { output }, { cause });
  });
  return { data: { runId, file: output, form, bytes: Buffer.byteLength(text) }, text: `${runId}: report in ${output}` };
}

async function textOf(form: Form, data: ReportData, program: string): Promise<string> {
  if (form === 'html') return (await import('../../report/html-report.ts')).htmlReport(data, program);
  if (form === 'md') return `${(await import('../../report/markdown-report.ts')).markdownReport(data, program)}\n`;
  return `${JSON.stringify((await import('../../report/report-data.ts')).reportJson(data), null, 2)}\n`;
}
