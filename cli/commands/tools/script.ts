/** `script check` and `script run`: a design's script under the eyes of its author. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Act, CommandFile } from '../../command.ts';
import { collected, examples, filledText, wholeNumber } from '../../command.ts';
import type { CheckRequest } from '../../script/check-script.ts';
import type { RunRequest } from '../../script/run-script.ts';

/** Names of the dry run's voices (`activities/runtime/script/dry-run.ts`; a test compares them). */
export const answerShapes = ['agreeing', 'disagreeing', 'no-answer', 'empty'] as const;
const pictureForms = ['text', 'mermaid', 'svg'];
const promptForms = ['terse', 'documented'];

function withCommonOptions(command: Command): Command {
  return command
    .argument('<file>', "the script's file, or - for stdin")
    .addOption(new Option('--reply <form>', "the file is a Designer's whole reply in this form").choices(promptForms))
    .option('--recipe <name|file>', 'by the limits, tools and prompts of this recipe; without it, by the defaults')
    .option('--set <path=value>', 'change one field of the recipe; may be repeated', collected)
    .option('--tools <names>', 'tools that the script may use, with commas between: calculator, python')
    .addOption(new Option('--picture <form>', 'how the structure is drawn').choices(pictureForms).default('text'))
    .option('--out <file>', 'draw it into this file');
}

function defineCheck(command: Command, act: Act): void {
  const check = withCommonOptions(command.command('check'))
    .summary('check one script')
    .description('Checks a script and runs it with stubbed replies: no model is called.')
    .option('--no-dry-run', 'only parse and check')
    .addHelpText(
      'after',
      `
Exit code 0 when the design would be valid, 1 when it would be refused.
` +
        examples(
          ['script check my-design.js', 'syntax, names, arguments, and a dry run that counts calls'],
          ['script check --reply documented reply.md', 'take the script out of a reply first'],
          ['script check my-design.js --picture mermaid --out my-design.mmd', 'draw agents, edges and loops'],
          ['script check my-design.js --recipe toy', 'by the limits of a recipe'],
        ),
    );
  act<CheckRequest>(check, async (_cli, [file], options) => {
    const { checkScriptFile } = await import('../../script/check-script.ts');
    return checkScriptFile(file!, options);
  });
}

function defineRun(command: Command, act: Act): void {
  const run = withCommonOptions(command.command('run'))
    .summary('run one script on one question')
    .description('Runs a script once and shows what each node did. Nothing is stored.')
    .requiredOption('--question <text>', 'the question', filledText)
    .addOption(
      new Option('--answers <shape>', 'what stubbed agents say; no model is called')
        .choices(answerShapes)
        .default('agreeing'),
    )
    .addOption(new Option('--policy <run@version>', 'let this policy answer').conflicts('answers'))
    .option('--seed <n>', 'seed of the draws', wholeNumber(0), 0)
    .option('--calls', 'show every prompt and reply')
    .addHelpText(
      'after',
      `
Exit code 0 when the execution ended with a reply, 1 when it ended otherwise.
` +
        examples(
          ['script run my-design.js --question "What is 6 times 7?" --calls', 'every prompt that its agents would see'],
          ['script run my-design.js --question "2 + 2?" --answers disagreeing', 'the other branches'],
          ['script run my-design.js --question "2 + 2?" --policy my-run@latest', 'with a trained policy'],
          ['script run my-design.js --question "2 + 2?" --picture mermaid', 'the execution as a flowchart'],
          ['script run my-design.js --question "2 + 2?" --picture svg --out it.svg', 'or as a picture'],
        ),
    );
  act<RunRequest>(run, async (cli, [file], options) => {
    const { runScriptFile } = await import('../../script/run-script.ts');
    return runScriptFile(cli, file!, options);
  });
}

export const command: CommandFile = {
  define(command, act) {
    defineCheck(command, act);
    defineRun(command, act);
  },
};
