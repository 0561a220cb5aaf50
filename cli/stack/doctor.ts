/**
 * Checks of everything a run needs on this machine, each a row with what was seen and what to do. Starts nothing and
 * changes nothing. Knows no command line (cli/commands/doctor.ts prints the rows).
 */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from '../../bootstrap/command.mjs';
import { dependencyState } from '../../bootstrap/dependencies.mjs';
import { checkNode } from '../../bootstrap/main.mjs';
import { cacheFolder, cloneRoot, stateFolder, type Env } from '../../bootstrap/paths.mjs';
import { findPython } from '../../bootstrap/python.mjs';
import { missingCudaFiles } from '../../activities/runtime/engine/execution-provider.ts';
import type { PythonSandboxOptions } from '../../activities/runtime/python/contract.ts';
import { checkPythonSandbox } from './doctor-sandbox.ts';
import { inspectMongo, inspectTemporal } from './doctor-servers.ts';
import { isFree } from './ports.ts';
import { living, readRecord } from './record.ts';
import { defaultPorts } from './stack.ts';

/** One check. `fix` is empty when `ok`. */
export interface DoctorRow {
  name: string;
  ok: boolean;
  detail: string;
  fix: string;
}

export interface DoctorSetting {
  env: Env;
  stateDir: string;
  cacheDir: string;
  /** Of `temporal.config.ts`. */
  sandbox?: Pick<PythonSandboxOptions, 'minTier' | 'python' | 'bubblewrap'>;
}

const good = (name: string, detail: string): DoctorRow => ({ name, ok: true, detail, fix: '' });
const bad = (name: string, detail: string, fix: string): DoctorRow => ({ name, ok: false, detail, fix });

/** Databases, weights and downloads of a toy run stay below this. */
const wantedFreeBytes = 2 * 1024 ** 3;
const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
/** Lock and lease timing tolerates this much. */
const tolerableClockSkewMs = 5_000;
const earliestSaneYear = 2025;

export function checkNodeVersion(): DoctorRow {
  try {
    checkNode(process.versions.node);
    return good('node', `${process.versions.node} on ${process.platform}-${process.arch}`);
  } catch (error) {
    return bad('node', process.versions.node, (error as Error).message);
  }
}

export function checkDependencies(root = cloneRoot): DoctorRow {
  const state = dependencyState(root);
  const ok = state === 'fresh' || state === 'unstamped';
  return ok ? good('dependencies', 'as locked') : bad('dependencies', `node_modules is ${state}`, 'npm run setup');
}

/** Python is needed only where a server comes from PyPI and for the Python tool. */
export async function checkPython({ env }: DoctorSetting): Promise<DoctorRow> {
  const python = await findPython(env);
  if (typeof python !== 'string') return good('python', `${python.version} (${python.path})`);
  return bad('python', python, 'install Python 3.10-3.13 with pip, or set METAAGENTX_PYTHON');
}

/** Loads the native library in a process of its own, since a broken one can end the process. */
export async function checkOnnxRuntime(): Promise<DoctorRow> {
  const script =
    "require('onnxruntime-node').listSupportedBackends(); console.log(require('onnxruntime-node/package.json').version)";
  const outcome = await runCommand(process.execPath, ['-e', script], { cwd: cloneRoot, timeoutMs: 60_000 });
  if (outcome.code === 0) {
    const version = outcome.stdout.trim();
    const cuda = missingCudaFiles().length === 0 ? 'cuda (placed)' : 'cuda (not placed: npm run setup:cuda)';
    return good('onnxruntime', `${version}: cpu, ${cuda}; webgpu is refused`);
  }
  const why = outcome.stderr.split('\n').find((line) => line.includes('Error')) ?? 'it does not load';
  return bad('onnxruntime', why, 'npm run setup; on Linux it needs glibc >= 2.27 and libstdc++');
}

export function checkFolder(name: string, folder: string, variable: string): DoctorRow {
  const fix = `make ${folder} writable, or set ${variable} to a folder that is`;
  const there = nearestExisting(folder);
  try {
    accessSync(there, constants.W_OK);
  } catch {
    return bad(name, `${there} is not writable`, fix);
  }
  return statSync(there).isDirectory() ? good(name, folder) : bad(name, `${there} is a file`, fix);
}

/** The folder itself or the first parent that exists: where it would be made. */
function nearestExisting(folder: string): string {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  return there;
}

export function checkDisk(folder: string): DoctorRow {
  const there = nearestExisting(folder);
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  if (free >= wantedFreeBytes) return good('disk', `${gib(free)} free at ${there}`);
  return bad('disk', `${gib(free)} free at ${there}`, `free ${gib(wantedFreeBytes)} there, or set METAAGENTX_STATE`);
}

/** A taken port is no failure: another one is chosen and printed. */
export async function checkPorts({ stateDir }: DoctorSetting): Promise<DoctorRow> {
  const record = readRecord(stateDir);
  const ports = record.ports ?? defaultPorts;
  const ours = { temporal: living(record, 'temporal'), ui: living(record, 'temporal'), mongo: living(record, 'mongo') };
  const parts = await Promise.all(
    (Object.keys(defaultPorts) as (keyof typeof defaultPorts)[]).map(async (name) => {
      const state =
        ours[name] !== null ? 'ours' : (await isFree(ports[name])) ? 'free' : 'taken, another will be chosen';
      return `${name} ${ports[name]} ${state}`;
    }),
  );
  return good('ports', parts.join(', '));
}

/** The system clock against the monotonic one, and for plain nonsense. */
export function checkClock(now = new Date()): DoctorRow {
  const monotonicDrift = Math.abs(performance.timeOrigin + performance.now() - now.getTime());
  if (now.getUTCFullYear() < earliestSaneYear)
    return bad('clock', now.toISOString(), 'set the system clock: certificates and timeouts depend on it');
  if (monotonicDrift > tolerableClockSkewMs)
    return bad(
      'clock',
      `jumped by ${Math.round(monotonicDrift)} ms since this process began`,
      'let the clock settle (NTP)',
    );
  return good('clock', now.toISOString());
}

/** All checks, in the order a person would mend them. */
export async function runDoctor(given: Partial<DoctorSetting> = {}): Promise<DoctorRow[]> {
  const env = given.env ?? process.env;
  const setting = { env, stateDir: given.stateDir ?? stateFolder(env), cacheDir: given.cacheDir ?? cacheFolder(env) };
  const slow = Promise.all([
    checkPython(setting),
    inspectTemporal(setting),
    inspectMongo(setting),
    checkOnnxRuntime(),
    checkPorts(setting),
    checkPythonSandbox(given.sandbox ?? {}),
  ]);
  const [python, temporal, mongo, onnxruntime, ports, sandbox] = await slow;
  return [
    checkNodeVersion(),
    checkDependencies(),
    temporal,
    mongo,
    python,
    onnxruntime,
    sandbox,
    checkFolder('cache folder', setting.cacheDir, 'METAAGENTX_CACHE'),
    checkFolder('state folder', setting.stateDir, 'METAAGENTX_STATE'),
    checkDisk(setting.stateDir),
    ports,
    checkClock(),
  ];
}
