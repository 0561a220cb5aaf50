/** The command's own settings: `temporal.config.ts`, the state folder and this program's version. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import userConfig from '../temporal.config.ts';
import { resolveTemporalConfig } from '../shared/config/temporal-config.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { cloneRoot, stateFolder } from '../bootstrap/paths.mjs';

export { cloneRoot };

/** Throws `InvalidConfig`. */
export const readConfig = (): TemporalConfig => resolveTemporalConfig(userConfig);

/** Databases, logs, ports and pids of this clone. */
export const stateDirOf = (environment: NodeJS.ProcessEnv): string => stateFolder(environment);

export async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Version and, in a git checkout, the commit: `0.1.0+1a2b3c4`, with `.changed` where files differ from it. */
export async function codeVersion(): Promise<string> {
  const version = await packageVersion();
  const git = async (...args: string[]) => (await promisify(execFile)('git', args, { cwd: cloneRoot })).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short', 'HEAD');
    const changed = await git('status', '--porcelain', '--untracked-files=no');
    return `${version}+${commit}${changed === '' ? '' : '.changed'}`;
  } catch {
    return version;
  }
}
