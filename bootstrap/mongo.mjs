/**
 * Finds a MongoDB-compatible store: the configured one, or a server program from the PATH, the cache, the download of
 * mongodb-memory-server, or SecantusDB from PyPI. A clone that already holds data keeps to the program that wrote it.
 * Knows nothing about starting it (cli/stack does).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findAll, lastWords, runCommand } from './command.mjs';
import { climb } from './ladder.mjs';
import { unreachable } from './network.mjs';
import { cloneRoot } from './paths.mjs';
import { cachedProgram, installProgram, programKey, recentFailure, rememberFailure } from './programs.mjs';
import { findPython, installWheels } from './python.mjs';

/**
 * @typedef {{ kind: 'mongod', path: string, version: string, source: string }} Mongod
 * @typedef {{ kind: 'secantus', path: string, python: string, packages: string, version: string, source: string }} Secantus
 * @typedef {{ kind: 'external', uri: string, source: string } | Mongod | Secantus} MongoChoice
 * @typedef {import('./temporal.mjs').Setting & { stateDir: string }} Setting
 * @typedef {import('./ladder.mjs').Attempt<MongoChoice>} Answer
 */

/** The embedded store: a beta under GPL-2.0, run as a separate process, pinned; for development data. */
export const secantusVersion = '0.7.0b3';
/** What it was tried with; CPython 3.10 has older last versions. */
const constraints = {
  current: ['pymongo==4.20.0', 'dnspython==2.9.2', 'numpy==2.4.6', 'shapely==2.2.0', 'python-dateutil==4.0.0'],
  python310: ['pymongo==4.18.3', 'dnspython==2.8.0', 'numpy==2.2.6', 'shapely==2.1.2', 'python-dateutil==3.0.0'],
  both: ['s2sphere==0.2.5', 'future==1.0.0', 'tzdata==2026.6'],
};
const mongodHost = 'fastdl.mongodb.org';
const mongodTimeoutMs = 180_000;
const keys = { mongod: programKey('mongod', 'default'), secantus: programKey('secantusdb', secantusVersion) };
const advice =
  'Install MongoDB (https://www.mongodb.com/docs/manual/installation) so that `mongod` is on the PATH, or Python 3.10-3.13 ' +
  'with pip; or set MONGODB_URI to a running server.';

/**
 * @param {Setting} setting
 * @returns {Promise<{ found: MongoChoice, passed: string[] }>}
 */
export function provisionMongo(setting) {
  const configured = { name: 'MONGODB_URI', attempt: async () => fromUri(setting) };
  const mongod = [
    { name: 'mongod on the PATH', attempt: () => onPath(setting) },
    { name: 'cached mongod', attempt: async () => cachedMongod(setting) },
  ];
  const secantus = { name: 'cached SecantusDB', attempt: async () => cachedSecantus(setting) };
  const download = { name: 'mongodb-memory-server download', attempt: () => downloadMongod(setting) };
  const wheel = { name: 'SecantusDB from PyPI', attempt: () => installSecantus(setting) };
  const kept = dataKind(setting.stateDir);
  const rungs =
    kept === 'secantus'
      ? [configured, secantus, wheel]
      : kept === 'mongod'
        ? [configured, ...mongod, download]
        : [configured, ...mongod, secantus, download, wheel];
  const why =
    kept === null ? '' : ` This clone's data in ${dataFolder(setting.stateDir, kept)} was written by ${kept}.`;
  return climb('MongoDB-compatible store', rungs, advice + why);
}

/**
 * Data folder of one kind of server; kinds never share one.
 * @param {string} stateDir
 * @param {'mongod' | 'secantus'} kind
 */
export const dataFolder = (stateDir, kind) =>
  join(stateDir, kind === 'mongod' ? 'mongod' : `secantusdb-${secantusVersion}`);

/**
 * Which kind of server holds this clone's data already.
 * @param {string} stateDir
 * @returns {'mongod' | 'secantus' | null}
 */
function dataKind(stateDir) {
  if (existsSync(dataFolder(stateDir, 'mongod'))) return 'mongod';
  return existsSync(dataFolder(stateDir, 'secantus')) ? 'secantus' : null;
}

/** @param {Setting} setting @returns {Answer} */
function fromUri({ env }) {
  const uri = env.MONGODB_URI ?? '';
  if (uri === '') return { passed: 'not set' };
  if (!/^mongodb(\+srv)?:\/\/[^/]/.test(uri))
    return { passed: 'is no connection string; expected mongodb://host:port/database or mongodb+srv://host/database' };
  return { found: { kind: 'external', uri, source: 'MONGODB_URI' } };
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function onPath({ env }) {
  const path = findAll('mongod', env)[0];
  if (path === undefined) return { passed: 'not there' };
  const version = await versionOf(path, env);
  if (version === null) return { passed: `${path} does not answer --version like mongod` };
  return { found: { kind: 'mongod', path, version, source: 'on the PATH' } };
}

/** @param {string} path @param {import('./paths.mjs').Env} env */
async function versionOf(path, env) {
  const outcome = await runCommand(path, ['--version'], { env, timeoutMs: 20_000 });
  return /db version v(\d+\.\d+\.\d+\S*)/.exec(outcome.stdout)?.[1] ?? null;
}

/** @param {Setting} setting @returns {Answer} */
function cachedMongod({ cacheDir }) {
  const program = cachedProgram(cacheDir, keys.mongod);
  if (program === null) return { passed: `nothing in ${cacheDir}` };
  return { found: { kind: 'mongod', path: program.path, version: program.version, source: 'cached' } };
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function downloadMongod({ env, cacheDir, say, probe = unreachable }) {
  const { hostname: host, port, protocol } = new URL(env.MONGOMS_DOWNLOAD_MIRROR || `https://${mongodHost}`);
  const site = { port: Number(port) || (protocol === 'http:' ? 80 : 443) };
  const failed = recentFailure(cacheDir, keys.mongod) ?? (await probe(host, env, site));
  if (failed !== null) return { passed: failed };
  say(`downloading mongod from ${host} (at most ${mongodTimeoutMs / 1000} s)`);
  const program = await installProgram(
    cacheDir,
    keys.mongod,
    async (folder) => {
      const script = join(cloneRoot, 'bootstrap', 'download-mongod.mjs');
      // The library checks neither certificate nor checksum unless told to.
      const checked = { npm_config_strict_ssl: 'true', MONGOMS_MD5_CHECK: '1', ...env };
      const outcome = await runCommand(process.execPath, [script, folder], {
        env: checked,
        timeoutMs: mongodTimeoutMs,
      });
      const path = outcome.stdout.trim().split('\n').at(-1) ?? '';
      const version = outcome.code === 0 ? await versionOf(path, env) : null;
      if (version !== null)
        return { name: 'mongod', version, source: 'mongodb-memory-server download', entry: relative(folder, path) };
      const why = outcome.code === 0 ? 'the downloaded mongod does not run here' : lastWords(outcome, 2);
      rememberFailure(cacheDir, keys.mongod, why);
      return why;
    },
    say,
  );
  if (typeof program === 'string') return { passed: program };
  return { found: { kind: 'mongod', path: program.path, version: program.version, source: program.source } };
}

/** @param {Setting} setting @returns {Answer} */
function cachedSecantus({ cacheDir }) {
  const program = cachedProgram(cacheDir, keys.secantus);
  if (program === null) return { passed: `nothing in ${cacheDir}` };
  return { found: secantusChoice(program, 'cached') };
}

/** @param {Setting} setting @returns {Promise<Answer>} */
async function installSecantus({ env, cacheDir, say }) {
  const python = await findPython(env);
  if (typeof python === 'string') return { passed: python };
  say(`installing SecantusDB ${secantusVersion} from PyPI with Python ${python.version} (${python.path})`);
  const program = await installProgram(
    cacheDir,
    keys.secantus,
    async (folder) => {
      const pins = [...constraints.both, ...(python.minor === 10 ? constraints.python310 : constraints.current)];
      writeFileSync(join(folder, 'constraints.txt'), `${pins.join('\n')}\n`);
      const wanted = ['-c', join(folder, 'constraints.txt'), `secantusdb==${secantusVersion}`];
      const failure = await installWheels(python, join(folder, 'packages'), wanted, env);
      if (failure !== null) return failure;
      const entry = join('packages', 'secantus', 'cli.py');
      if (!readFileSync(join(folder, entry), 'utf8').includes('--sync-on-commit'))
        return 'this build has no --sync-on-commit, without which a kill would lose acknowledged writes';
      return { name: 'secantusdb', version: secantusVersion, source: 'PyPI', entry, python: python.path };
    },
    say,
  );
  if (typeof program === 'string') return { passed: program };
  return { found: secantusChoice(program, program.source) };
}

/**
 * @param {import('./programs.mjs').Installed & { folder: string, path: string }} program
 * @param {string} source
 * @returns {Secantus}
 */
const secantusChoice = ({ folder, path, version, python }, source) => ({
  kind: 'secantus',
  path,
  python: python ?? 'python3',
  packages: join(folder, 'packages'),
  version,
  source,
});
