/**
 * The `metaagentx` command line: finds the command, loads its file only, runs it, prints one result, maps failures to
 * exit codes (docs/cli.md). `main` never exits the process; the last lines of this file do, for the real command.
 */
import { pathToFileURL } from 'node:url';
import { Command, CommanderError } from 'commander';
import { commandTable } from './commands/table.ts';
import type { Act, Cli, CommandResult } from './command.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { reportError } from './report-error.ts';
import { packageVersion } from './settings.ts';
import { liveBlock } from './view/live-block.ts';
import type { LiveBlock } from './view/live-block.ts';
import { paintFor } from './view/paint.ts';

/** The process as the command sees it; tests give their own. */
export interface Terminal {
  environment: NodeJS.ProcessEnv;
  stdout: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;
  stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;
  signal: AbortSignal;
}

const readableWidth = 100;

/** Runs one command line (without `node` and script) and returns its exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const json = argv.includes('--json');
  const words = argv.filter((word) => word !== '--json');
  const { cli, current } = cliOf(terminal, json);
  const print = (text: string) => terminal.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  try {
    const result = await dispatch(words, cli, terminal);
    if (result === null) return exitCodes.ok;
    if (result.lines !== undefined) print(result.lines.map((line) => JSON.stringify(line)).join('\n'));
    else if (json) print(JSON.stringify(result.data));
    else if (result.text !== '') print(result.text);
    return result.exitCode ?? exitCodes.ok;
  } catch (error) {
    current()?.end(true);
    if (error instanceof CommanderError) return commanderExit(error, json, print);
    reportError(error, { json, print, cli });
    return exitCodeOf(error);
  }
}

/** Help and version come as errors with exit code 0; commander has printed the others' text already. */
function commanderExit(error: CommanderError, json: boolean, print: (text: string) => void): number {
  if (error.exitCode === 0) return exitCodes.ok;
  if (json)
    print(JSON.stringify({ error: { name: 'InvalidInput', message: error.message }, exitCode: exitCodes.usage }));
  return exitCodes.usage;
}

async function dispatch(words: readonly string[], cli: Cli, terminal: Terminal): Promise<CommandResult | null> {
  let result: CommandResult | null = null;
  const act: Act = (command, handler) => {
    command.option('--json', 'print one JSON object on stdout');
    command.action(async function (this: Command) {
      result = await handler(cli, this.args, this.opts());
    });
  };
  const program = await buildProgram(words, act, terminal);
  await program.parseAsync([...words], { from: 'user' });
  return result;
}

/** The program with every command named, and the wanted one (or all of them) defined in full. */
export async function buildProgram(words: readonly string[], act: Act, terminal: Terminal): Promise<Command> {
  const program = new Command('metaagentx')
    .description('Trains a Designer and an Executor together, as durable Temporal workflows.')
    .version(await packageVersion())
    .helpCommand(false)
    // An option after a subcommand is the subcommand's, also where the command has one of that name.
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for usage and examples)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns || readableWidth,
      getErrHelpWidth: () => terminal.stderr.columns || readableWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', footer);
  const wanted = words.find((word) => !word.startsWith('-'));
  for (const { name, group, summary, load } of commandTable) {
    const command = program.command(name).summary(summary).description(summary).helpGroup(group);
    if (name !== wanted) continue;
    const { command: file } = await load();
    file.define(command, act);
  }
  return program;
}

const footer = `
Every command takes --json (one JSON object on stdout, logs on stderr) and --help (with examples).
Exit codes: 0 ok, 1 failure, 2 bad usage or input, 3 not found, 4 servers or programs unavailable, 130 interrupted.`;

function cliOf({ environment, stdout, stderr, signal }: Terminal, json: boolean) {
  let block: LiveBlock | null = null;
  const isLive = stderr.isTTY && !environment.CI && environment.TERM !== 'dumb';
  const cli: Cli = {
    json,
    environment,
    signal,
    paint: paintFor(stdout, environment),
    logPaint: paintFor(stderr, environment),
    width: stdout.columns || readableWidth,
    log: (line) => (block === null ? stderr.write(`${line}\n`) : block.log(line)),
    async live(work) {
      const own = (block = liveBlock(stderr, isLive));
      try {
        return await work(own);
      } finally {
        own.end(true);
        block = null;
      }
    },
  };
  return { cli, current: () => block };
}

/** The first Ctrl-C or SIGTERM asks the command to end; the second ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return controller.signal;
}

/** True when this file is what the process was started for: by the bin script, or itself. */
const isEntry =
  /(metaagentx(\.mjs)?|cli[/\\]main\.ts)$/.test(process.argv[1] ?? '') ||
  import.meta.url === pathToFileURL(process.argv[1] ?? '').href;

if (isEntry && process.env.VITEST === undefined) {
  const { stdout, stderr, env: environment } = process;
  const code = await main(process.argv.slice(2), { environment, stdout, stderr, signal: interruption() });
  // Native handles of the Temporal client may outlive their connection; stdout is flushed before leaving.
  process.stdout.write('', () => process.exit(code));
}
