/** Every command that takes --with-stack runs all that `up` runs, the dashboard included. No server is needed here. */
import type { Command } from 'commander';
import { beforeEach, expect, it, vi } from 'vitest';
import { runCommandLine } from '../tests/helpers/command-line.ts';
import { commandTable } from './commands/table.ts';
import { buildProgram } from './main.ts';
import type { SessionNeeds } from './session.ts';

const opened: SessionNeeds[] = [];
vi.mock(import('./session.ts'), async (original) => ({
  ...(await original()),
  withSession: async (_cli, needs) => {
    opened.push(needs);
    throw new Error('opened');
  },
}));
beforeEach(() => void opened.splice(0));

const collect = ['--teacher', 'm', '--url', 'http://127.0.0.1:1/v1'];
const lines: Record<string, string[]> = {
  train: ['--recipe', 'smoke'],
  resume: ['toy-1'],
  fork: ['toy-1@v4', '--run-id', 'other'],
  study: ['smoke'],
  'coldstart collect': ['set-1', ...collect],
  'coldstart train': ['set-1', '--recipe', 'smoke'],
};

const sink = { write: () => true, isTTY: false as never, columns: 100 };
const terminal = { environment: {}, stdout: sink, stderr: sink, signal: new AbortController().signal };

function namesTaking(option: string, command: Command, name: string): string[] {
  const inner = command.commands.flatMap((each) => namesTaking(option, each, `${name} ${each.name()}`));
  return [...(command.options.some(({ long }) => long === option) ? [name] : []), ...inner];
}

it('is tried with every command that takes it', async () => {
  const taking: string[] = [];
  for (const { name } of commandTable) {
    const program = await buildProgram([name], () => undefined, terminal);
    taking.push(
      ...namesTaking(
        '--with-stack',
        program.commands.find((each) => each.name() === name)!,
        name,
      ),
    );
  }
  expect(taking).toEqual(Object.keys(lines));
});

it.each(Object.entries(lines))('%s serves the dashboard', async (name, words) => {
  await runCommandLine([...name.split(' '), ...words, '--with-stack']);
  await runCommandLine([...name.split(' '), ...words]);
  expect(opened).toEqual([
    { stack: 'started', workers: 'polling', dashboard: 'started' },
    { stack: 'joined', workers: 'none' },
  ]);
});
