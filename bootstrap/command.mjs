/**
 * Finds programs on a PATH and runs one to its end within a bounded time. Knows nothing about what they are for.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {{ code: number | null, stdout: string, stderr: string, timedOut: boolean }} Outcome */

const keptChars = 64_000;

/**
 * Every executable file of this name on the PATH of `env`, first found first.
 * @param {string} name
 * @param {import('./paths.mjs').Env} [env]
 * @returns {string[]}
 */
export function findAll(name, env = process.env) {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`, name] : [name];
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((each) => join(folder, each))).filter(isProgram);
}

/** @param {string} path */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Runs a program and collects its output (the last 64,000 characters of each stream). Never throws: a program that
 * cannot be started has code null and the reason in `stderr`. Past `timeoutMs` its whole process group is killed.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: import('./paths.mjs').Env, cwd?: string, timeoutMs?: number, shell?: boolean }} [options]
 * @returns {Promise<Outcome>}
 */
export function runCommand(program, args, { env = process.env, cwd, timeoutMs = 60_000, shell = false } = {}) {
  return new Promise((resolve) => {
    const group = process.platform !== 'win32';
    const child = spawn(program, args, { env, cwd, shell, stdio: ['ignore', 'pipe', 'pipe'], detached: group });
    const out = { stdout: '', stderr: '' };
    let timedOut = false;
    const kill = () => {
      try {
        if (group && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        else child.kill('SIGKILL');
      } catch {
        // Already gone.
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    /** @param {NodeJS.Signals} signal */
    const interrupted = (signal) => {
      kill();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    /** @param {number | null} code */
    const finish = (code) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve({ code, ...out, timedOut });
    };
    for (const name of /** @type {const} */ (['stdout', 'stderr']))
      child[name].on('data', (chunk) => {
        out[name] = (out[name] + String(chunk)).slice(-keptChars);
      });
    child.on('error', (error) => {
      out.stderr += error.message;
      finish(null);
    });
    child.on('close', (code) => finish(code));
  });
}

/** What is never the reason: stack frames, lone brackets, Node's version line. */
const noise = /^(at .*|[{}[\]^]*|Node\.js v.*)$/;

/**
 * The last telling lines of what a failed program said, for an error message.
 * @param {Outcome} outcome
 * @param {number} [lines]
 */
export function lastWords({ stdout, stderr, timedOut }, lines = 6) {
  const said = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !noise.test(line));
  return (timedOut ? ['(out of time)', ...said] : said).slice(-lines).join(' | ') || '(it printed nothing)';
}
