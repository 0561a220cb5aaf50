/**
 * What a command file is: it defines its arguments, options and examples on a commander command and names its handler.
 * Top-level imports of command files are light; handlers import servers and stores when they run.
 */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { LiveBlock } from './view/live-block.ts';
import type { Paint } from './view/paint.ts';

/** What a handler may use of the process it runs in. */
export interface Cli {
  readonly json: boolean;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** For text on stdout. */
  readonly paint: Paint;
  /** For lines on stderr. */
  readonly logPaint: Paint;
  /** Columns of the terminal, or a readable width. */
  readonly width: number;
  /** One line on stderr. */
  readonly log: (line: string) => void;
  /** Redrawn lines on stderr while `work` runs; log lines go above them. */
  live<T>(work: (block: LiveBlock) => Promise<T>): Promise<T>;
}

/** What a command found: `data` is the one JSON object of `--json`, `text` is for people. */
export interface CommandResult {
  data: Record<string, unknown>;
  text: string;
  /** Printed one JSON object a line instead of `data` and `text`, with and without `--json`. */
  lines?: readonly Record<string, unknown>[];
  exitCode?: number;
}

export type Handler<Options> = (cli: Cli, args: readonly string[], options: Options) => Promise<CommandResult>;
/** Makes `command` run `handler`, with the options that every command has. */
export type Act = <Options extends object>(command: Command, handler: Handler<Options>) => void;

export interface CommandFile {
  define(command: Command, act: Act): void;
}

/** The examples at the end of a help text: command lines with what they do. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  return `\nExamples:\n${lines.map(([command, does]) => `  $ metaagentx ${command}\n      ${does}`).join('\n')}`;
}

/** Parser of an option that is a whole number from `least`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`expected a whole number from ${least}.`);
    }
    return value;
  };

/** Parser of a port that is listened at; 0 is any free one. */
export function portNumber(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('expected a port from 0 to 65535.');
}

/** Parser of a text that says something. */
export function filledText(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('expected a text, it is empty.');
}

/** Parser of an option that may be given several times. */
export const collected = (text: string, earlier: string[] = []): string[] => [...earlier, text];
