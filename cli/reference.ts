/** The text of docs/cli.md: every command's own help, so that the page cannot say anything else than the program. */
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { commandTable } from './commands/table.ts';
import { exitCodes } from './exit-codes.ts';
import { buildProgram } from './main.ts';

const columns = 100;
const silent = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), {
  isTTY: false,
  columns,
});

/** Help of a command as the user sees it, with what stands after it. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => void (text += part),
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}

const section = (title: string, depth: number, help: string) =>
  `${'#'.repeat(depth)} ${title}\n\n\`\`\`text\n${help}\n\`\`\`\n`;

function sections(command: Command, path: string, depth: number): string[] {
  const inner = command.commands.flatMap((child) => sections(child, `${path} ${child.name()}`, depth + 1));
  return [section(path, depth, helpOf(command)), ...inner];
}

/** Markdown; made again by `npx vitest run cli/reference.test.ts -u`. */
export async function cliReference(): Promise<string> {
  const terminal = {
    environment: {},
    stdout: silent as unknown as NodeJS.WriteStream,
    stderr: silent as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  };
  const parts: string[] = [];
  for (const { name } of commandTable) {
    const program = await buildProgram(
      [name],
      (command) => void command.option('--json', 'print one JSON object on stdout'),
      terminal,
    );
    const command = program.commands.find((candidate) => candidate.name() === name)!;
    parts.push(...sections(command, `metaagentx ${name}`, 2));
  }
  const codes = Object.entries(exitCodes).map(([meaning, code]) => `| ${code} | ${meaning} |`);
  return [
    '# Commands\n',
    'Made from the program itself. In a clone: `npx metaagentx …` or `npm run metaagentx -- …`.\n',
    '| exit code | meaning |\n| --- | --- |',
    ...codes,
    '',
    ...parts,
  ].join('\n');
}
