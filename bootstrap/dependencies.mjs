/**
 * Installs the npm dependencies when they are missing or stale, without their lifecycle scripts, and links the clone's
 * own `metaagentx` command. Knows nothing about what the packages are for.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findAll, lastWords, runCommand } from './command.mjs';
import { SetupError } from './report.mjs';

/** @typedef {import('./paths.mjs').Env} Env */
/** @typedef {{ lock: string, platform: string, cuda: boolean }} Stamp */

const installTimeoutMs = 15 * 60_000;
const cudaTimeoutMs = 10 * 60_000;
const stampFile = (/** @type {string} */ root) => join(root, 'node_modules', '.metaagentx.json');

/**
 * What the installed packages are, against the lock file.
 * @param {string} root
 * @returns {'fresh' | 'unstamped' | 'missing' | 'stale'} `unstamped`: right, but installed by someone else
 */
export function dependencyState(root) {
  if (!existsSync(join(root, 'node_modules'))) return 'missing';
  const stamp = readStamp(root);
  if (stamp !== null && stamp.lock === lockDigest(root) && stamp.platform === platformName) return 'fresh';
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null) return 'stale';
  const wanted = readPackages(join(root, 'package-lock.json')) ?? {};
  const same = Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    return installed[path] === undefined ? optional === true : installed[path].version === version;
  });
  return same && Object.keys(installed).every((path) => wanted[path] !== undefined) ? 'unstamped' : 'stale';
}

const platformName = `${process.platform}-${process.arch}`;

/** @param {string} root */
const lockDigest = (root) =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

/** @param {string} root @returns {Stamp | null} */
function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampFile(root), 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} file @returns {Record<string, { version?: string, optional?: boolean }> | null} */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return null;
  }
}

/**
 * Brings node_modules in line with the lock file.
 * @param {string} root
 * @param {Env} env
 * @param {import('./report.mjs').Report} report
 */
export async function ensureDependencies(root, env, report) {
  const state = dependencyState(root);
  const cuda = env.METAAGENTX_CUDA === '1';
  if (state === 'missing' || state === 'stale') {
    const why = state === 'missing' ? 'no node_modules yet' : 'package-lock.json has changed';
    report.work('dependencies', `npm ci --ignore-scripts (${why})`);
    await npmCi(root, env);
  }
  if (cuda && readStamp(root)?.cuda !== true) {
    report.work('cuda', 'downloading the CUDA libraries of ONNX Runtime (METAAGENTX_CUDA=1)');
    await installCuda(root, env);
  }
  const kept = state === 'fresh' || state === 'unstamped' ? (readStamp(root)?.cuda ?? false) : false;
  if (state !== 'fresh' || cuda) writeStamp(root, cuda || kept);
  linkCommand(root);
  const count = Object.keys(readPackages(join(root, 'package-lock.json')) ?? {}).length - 1;
  report.found('dependencies', `${count} packages as locked`);
}

/** @param {string} root @param {boolean} cuda */
function writeStamp(root, cuda) {
  /** @type {Stamp} */
  const stamp = { lock: lockDigest(root), platform: platformName, cuda };
  writeFileSync(stampFile(root), JSON.stringify(stamp));
}

/** @param {string} root @param {Env} env */
async function npmCi(root, env) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const [program, first] = npmProgram(env);
  const outcome = await runCommand(program, [...first, ...args, '--prefer-offline', '--loglevel=error'], {
    cwd: root,
    env,
    timeoutMs: installTimeoutMs,
    shell: process.platform === 'win32' && first.length === 0,
  });
  if (outcome.code !== 0)
    throw new SetupError(
      `npm ci failed (exit ${outcome.code ?? 'none'}): ${npmWords(outcome)}\n` +
        'Check the network and the npm registry setting (`npm config get registry`), then run `npm run setup` again.',
    );
}

/**
 * npm's reason stands in its first lines; usage and log file follow.
 * @param {import('./command.mjs').Outcome} outcome
 */
const npmWords = (outcome) =>
  lastWords(outcome, Infinity)
    .split(' | ')
    .map((line) => line.replace(/^npm error ?/, '').replace(/^code /, ''))
    .filter(Boolean)
    .slice(0, 5)
    .join(' | ');

/**
 * The npm that runs us, else the one on the PATH.
 * @param {Env} env
 * @returns {[string, string[]]}
 */
function npmProgram(env) {
  if (env.npm_execpath?.endsWith('npm-cli.js')) return [process.execPath, [env.npm_execpath]];
  const found = findAll('npm', env)[0];
  if (found === undefined) throw new SetupError('npm is not on the PATH; install Node.js >= 20.19 together with npm.');
  return [found, []];
}

/** @param {string} root @param {Env} env */
async function installCuda(root, env) {
  const script = join(root, 'node_modules', 'onnxruntime-node', 'script', 'install.js');
  const outcome = await runCommand(process.execPath, [script, '--onnxruntime-node-install=cuda12'], {
    cwd: join(root, 'node_modules', 'onnxruntime-node'),
    env,
    timeoutMs: cudaTimeoutMs,
  });
  if (outcome.code !== 0)
    throw new SetupError(
      `the CUDA libraries could not be downloaded: ${lastWords(outcome, 3)}\n` +
        'Unset METAAGENTX_CUDA to run on the CPU, or see docs/servers.md, "CUDA".',
    );
}

/**
 * Links `node_modules/.bin/metaagentx` to the clone's bin, so that `npx metaagentx` runs this clone.
 * @param {string} root
 */
export function linkCommand(root) {
  const bin = join(root, 'node_modules', '.bin');
  const link = join(bin, 'metaagentx');
  const target = join('..', '..', 'bin', 'metaagentx.mjs');
  mkdirSync(bin, { recursive: true });
  if (process.platform === 'win32') {
    writeFileSync(`${link}.cmd`, `@node "%~dp0\\${target}" %*\r\n`);
    return;
  }
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && readlinkSync(link) === target) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
  if (existsSync(join(root, 'bin', 'metaagentx.mjs'))) chmodSync(join(root, 'bin', 'metaagentx.mjs'), 0o755);
}
