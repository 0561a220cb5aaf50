/**
 * Finds a usable Python and installs wheels with its pip into a folder of their own (`pip install --target`: movable,
 * needs neither root nor the venv module, and touches no other Python package). Knows nothing about the packages.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findAll, isProgram, lastWords, runCommand } from './command.mjs';

/** @typedef {{ path: string, version: string, minor: number, pip: boolean, venv: boolean }} Python */

/** SecantusDB has wheels for CPython 3.10 to 3.13. */
export const oldestMinor = 10;
export const newestMinor = 13;
const askTimeoutMs = 15_000;
/** 120 MB of wheels over a slow line. */
const installTimeoutMs = 10 * 60_000;

const question = `
import importlib.util as u, json, platform, sys
print(json.dumps({
  "path": sys.executable, "version": platform.python_version(), "major": sys.version_info[0],
  "minor": sys.version_info[1], "implementation": platform.python_implementation(),
  "pip": u.find_spec("pip") is not None, "venv": u.find_spec("ensurepip") is not None}))`;

/**
 * The first CPython 3.10-3.13 that can install packages: `METAAGENTX_PYTHON`, else those on the PATH, else the usual
 * places. Returns the real binary (a version manager's shim costs 140 ms at each start), or the reasons for none.
 * @param {import('./paths.mjs').Env} env
 * @param {{ usualPlaces?: string[] }} [options]
 * @returns {Promise<Python | string>}
 */
export async function findPython(env, { usualPlaces = ['/usr/bin/python3', '/usr/local/bin/python3'] } = {}) {
  const names = ['python3', 'python', ...[13, 12, 11, 10].map((minor) => `python3.${minor}`)];
  const candidates = env.METAAGENTX_PYTHON
    ? [env.METAAGENTX_PYTHON]
    : [...new Set([...names.flatMap((name) => findAll(name, env)), ...usualPlaces.filter(isProgram)])];
  /** @type {string[]} */
  const refused = [];
  for (const candidate of candidates) {
    const answer = await ask(candidate, env);
    if (typeof answer !== 'string') return answer;
    refused.push(`${candidate}: ${answer}`);
  }
  return refused.length === 0 ? 'no python3 on the PATH' : refused.join('; ');
}

/**
 * @param {string} program
 * @param {import('./paths.mjs').Env} env
 * @returns {Promise<Python | string>}
 */
async function ask(program, env) {
  const outcome = await runCommand(program, ['-c', question], { env, timeoutMs: askTimeoutMs });
  if (outcome.code !== 0) return `does not run (${lastWords(outcome, 1)})`;
  try {
    const seen = JSON.parse(outcome.stdout);
    if (seen.implementation !== 'CPython' || seen.major !== 3) return `is ${seen.implementation} ${seen.version}`;
    if (seen.minor < oldestMinor || seen.minor > newestMinor)
      return `is ${seen.version}, wanted 3.${oldestMinor} to 3.${newestMinor}`;
    if (!seen.pip && !seen.venv) return `${seen.version} has neither pip nor ensurepip`;
    return { path: seen.path, version: seen.version, minor: seen.minor, pip: seen.pip, venv: seen.venv };
  } catch {
    return 'gave no version';
  }
}

/**
 * Installs requirements (wheels only) into `target`. Returns null, or why it failed.
 * @param {Python} python
 * @param {string} target folder to fill
 * @param {string[]} requirements pip arguments: `name==version`, `--no-deps`, `-c FILE`
 * @param {import('./paths.mjs').Env} env
 * @returns {Promise<string | null>}
 */
export async function installWheels(python, target, requirements, env) {
  const pip = await pipOf(python, `${target}-pip`, env);
  if (pip.why !== undefined) return pip.why;
  const args = ['install', '--quiet', '--no-input', '--disable-pip-version-check', '--retries', '2'];
  const outcome = await runCommand(
    pip.program,
    ['-m', 'pip', ...args, '--only-binary', ':all:', '--target', target, ...requirements],
    { env: { ...env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0' }, timeoutMs: installTimeoutMs },
  );
  return outcome.code === 0 ? null : `pip failed: ${lastWords(outcome, 3)}`;
}

/**
 * The interpreter whose pip is used: the Python itself, or a venv made for its pip where the distribution splits it off.
 * @param {Python} python
 * @param {string} folder
 * @param {import('./paths.mjs').Env} env
 * @returns {Promise<{ program: string, why?: undefined } | { program?: undefined, why: string }>}
 */
async function pipOf(python, folder, env) {
  if (python.pip) return { program: python.path };
  const outcome = await runCommand(python.path, ['-m', 'venv', folder], { env, timeoutMs: askTimeoutMs * 8 });
  const program = [join(folder, 'bin', 'python'), join(folder, 'Scripts', 'python.exe')].find((path) =>
    existsSync(path),
  );
  if (outcome.code === 0 && program !== undefined) return { program };
  return { why: `python ${python.version} has no pip and cannot make a venv: ${lastWords(outcome, 2)}` };
}
