/**
 * Every command of the documents is one that the program takes: its name, its options and its arguments are parsed by
 * the real definitions. That they do what is said is tested where servers are (tests/integration).
 */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandsOf, documentedCommands } from '../tests/helpers/documented-commands.ts';
import type { DocumentedCommand } from '../tests/helpers/documented-commands.ts';
import type { Act } from './command.ts';
import { buildProgram } from './main.ts';

const sink = { write: () => true, isTTY: false as never, columns: 100 };
const terminal = { environment: {}, stdout: sink, stderr: sink, signal: new AbortController().signal };

/** Null where the program takes the words, else what it says against them. */
async function refusal(words: readonly string[]): Promise<string | null> {
  let ran = false;
  const act: Act = (command) => void command.option('--json', 'one object').action(() => void (ran = true));
  const program = await buildProgram(words, act, terminal);
  const known = namesAlone(program, words);
  if (known) return null;
  try {
    await program.parseAsync([...words], { from: 'user' });
    return ran ? null : 'nothing would run';
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? null : error.message;
    throw error;
  }
}

/** A command that a sentence only names, without what it takes. */
function namesAlone(program: Command, words: readonly string[]): boolean {
  let command: Command | undefined = program;
  for (const word of words) {
    command = command.commands.find((each) => each.name() === word);
    if (command === undefined) return false;
  }
  return true;
}

const scripts = Object.keys(
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { scripts: object }).scripts,
);

async function problemOf({ program, words }: DocumentedCommand): Promise<string | null> {
  if (words.some((word) => word.includes('…')))
    words = words.slice(
      0,
      words.findIndex((word) => word.includes('…')),
    );
  if (program === 'metaagentx') return words.length === 0 ? null : refusal(words);
  const [verb, script] = words;
  if (verb === 'start' || verb === 'test') return scripts.includes(verb) ? null : `no script ${verb}`;
  if (verb === 'run') return script === undefined || scripts.includes(script) ? null : `no script ${script}`;
  return verb === 'ci' || verb === 'config' ? null : `npm ${verb} is none of ours`;
}

const problemsOf = async (commands: readonly DocumentedCommand[]) => {
  const all = await Promise.all(commands.map(async (command) => [command, await problemOf(command)] as const));
  return all
    .filter(([, problem]) => problem !== null)
    .map(([{ where, text }, problem]) => `${where}: ${text}: ${problem}`);
};

describe('commands of the documents', () => {
  it('are all taken by the program', async () => {
    const commands = documentedCommands();
    expect(commands.length).toBeGreaterThan(150);
    expect(await problemsOf(commands)).toEqual([]);
  });

  it('are refused where a flag, a command, an argument or a script is wrong', async () => {
    const page = [
      'Type `npx metaagentx statsu my-run` or `npx metaagentx status my-run --wtach`.',
      '```sh',
      'npx metaagentx status my-run other   # one too many',
      'METAAGENTX_LOG=debug npx metaagentx train --seed first',
      'npm run bench:nothing',
      'npx metaagentx status my-run --watch | cat',
      '```',
    ].join('\n');
    const problems = await problemsOf(commandsOf(page, 'page.md'));
    expect(problems.map((problem) => problem.replace(/^(page\.md:\d+): .*?: (error: )?/, '$1 '))).toEqual([
      expect.stringMatching(/^page\.md:1 unknown command 'statsu'/),
      expect.stringMatching(/^page\.md:1 unknown option '--wtach'/),
      expect.stringMatching(/^page\.md:3 too many arguments/),
      expect.stringMatching(/^page\.md:4 option '--seed/),
      'page.md:5 no script bench:nothing',
    ]);
  });
});
