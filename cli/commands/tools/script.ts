/** `script check`: what training would say about a design's script before it costs a model call. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Option } from 'commander';
import type { CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { DomainError } from '../../../shared/errors.ts';
import type { DesignProblem } from '../../../shared/script/check.ts';
import type { PromptForm } from '../../../shared/script/prompts.ts';

interface Options {
  dryRun: boolean;
  reply?: PromptForm;
}

export const command: CommandFile = {
  define(command, act) {
    const check = command
      .command('check')
      .summary('check one script')
      .description('Checks a script and runs it with stubbed replies: no model is called.')
      .argument('<file>', "the script's file, or - for stdin")
      .option('--no-dry-run', 'only parse and check')
      .addOption(
        new Option('--reply <form>', "the file is a Designer's whole reply in this form").choices([
          'terse',
          'documented',
        ]),
      )
      .addHelpText(
        'after',
        `
Exit code 0 when the design would be valid, 1 when it would be refused.
` +
          examples(
            ['script check my-design.js', 'syntax, names, arguments, and a dry run'],
            ['script check --reply documented reply.md', 'take the script out of a reply first'],
          ),
      );
    act<Options>(check, (_cli, [file], options) => run(file!, options));
  },
};

async function run(file: string, { dryRun, reply }: Options): Promise<CommandResult> {
  const [{ checkScript }, { renderStructureText }] = await Promise.all([
    import('../../../shared/script/check.ts'),
    import('../../../shared/script/render.ts'),
  ]);
  const script = await scriptOf(await read(file), reply);
  if (script === null) return refused(file, [], 'no-script', 'the reply holds no script');
  const checked = checkScript(script);
  const problems = checked.problems.length > 0 || !dryRun ? checked.problems : await tryRun(script);
  const [first] = problems;
  if (first !== undefined) return refused(file, problems, first.outcome, null);
  const structure = checked.structure === null ? '' : renderStructureText(checked.structure);
  return {
    data: { outcome: 'valid', problems: [], structure: checked.structure, script },
    text: `valid${dryRun ? '' : ' (not run)'}\n\n${structure}`.trimEnd(),
  };
}

async function read(file: string): Promise<string> {
  try {
    return file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw new DomainError('InvalidInput', `cannot read '${file}': ${(cause as Error).message}`, { file }, { cause });
  }
}

async function scriptOf(text: string, form: PromptForm | undefined): Promise<string | null> {
  if (form === undefined) return text;
  const { extractScript } = await import('../../../shared/script/extract.ts');
  return extractScript(text, form)?.script ?? null;
}

/** At most one problem: the dry run's verdict. */
async function tryRun(script: string): Promise<readonly DesignProblem[]> {
  const [{ createScriptPool }, { judgeDryRun }] = await Promise.all([
    import('../../../activities/runtime/script/pool.ts'),
    import('../../../shared/script/dry-verdict.ts'),
  ]);
  const pool = createScriptPool({ threads: 1 });
  try {
    const { shapes } = await pool.dryRun({ script, question: 'What is 2 + 2?', promptForm: 'documented' });
    const problem = judgeDryRun(
      shapes.map(({ shape, outcome }) => ({ shape, outcome: outcome.outcome, error: outcome.error })),
    );
    return problem === null ? [] : [problem];
  } finally {
    await pool.close();
  }
}

function refused(file: string, problems: readonly DesignProblem[], outcome: string, why: string | null): CommandResult {
  const lines = problems.map(({ line, column, message, outcome: name }) => {
    const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
    return `${place}: ${message} (${name})`;
  });
  return {
    data: { outcome, problems },
    text: [`refused: ${outcome}`, ...lines, ...(why === null ? [] : [why])].join('\n'),
    exitCode: exitCodes.failure,
  };
}
