/**
 * `npm run setup:cuda`: places ONNX Runtime's CUDA provider beside the library that the Node binding loads, from the
 * registry wheel `onnxruntime-gpu` of exactly that version (CUDA 13), or with onnxruntime-node's own install script
 * (CUDA 12). Nothing is placed that is of another build. Exit codes: 0 placed or there, 1 not possible, 2 bad arguments.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastWords, runCommand } from './command.mjs';
import { cloneRoot } from './paths.mjs';
import { findPython, installWheels } from './python.mjs';
import { makeReport, SetupError } from './report.mjs';

const usage = `usage: node bootstrap/cuda.mjs [--from wheel|npm]
  Places the CUDA provider of ONNX Runtime. wheel: from PyPI, needs CUDA 13 and cuDNN 9; npm: from NuGet, needs CUDA 12 and
  cuDNN 9. See docs/engine.md.`;
const downloadTimeoutMs = 20 * 60_000;

export const providerFiles = /** @type {const} */ ([
  'libonnxruntime_providers_shared.so',
  'libonnxruntime_providers_cuda.so',
]);

/** Where the Node binding looks for providers. */
export const bindingFolder = (root = cloneRoot) =>
  join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch);

/**
 * The commit that a library says it was built from.
 * @param {string} path
 */
export function buildCommit(path) {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('git-commit-id=');
  return at < 0 ? null : (/=([0-9a-f]+)/.exec(bytes.toString('latin1', at, at + 60))?.[1] ?? null);
}

/**
 * Checks the provider's files of an unpacked wheel and copies them into `target`, each whole or not at all.
 * Throws `SetupError` where the wheel is of another version or build, or a file is not what the wheel's record says.
 * @param {{ wheel: string, target: string, version: string }} places
 */
export function placeFromWheel({ wheel, target, version }) {
  const info = `onnxruntime_gpu-${version}.dist-info`;
  if (!existsSync(join(wheel, info)))
    throw new SetupError(`onnxruntime-gpu: expected version ${version}, found ${readdirSync(wheel).join(', ')}`);
  const record = readFileSync(join(wheel, info, 'RECORD'), 'utf8');
  const capi = join(wheel, 'onnxruntime', 'capi');
  const [own, theirs] = [join(target, 'libonnxruntime.so.1'), join(capi, `libonnxruntime.so.${version}`)].map(
    buildCommit,
  );
  if (own === null || own !== theirs)
    throw new SetupError(`onnxruntime-gpu ${version} was built from ${theirs}, onnxruntime-node from ${own}: no fit`);
  for (const name of providerFiles) {
    const wanted = new RegExp(`^onnxruntime/capi/${name},sha256=([^,]+),`, 'm').exec(record)?.[1];
    const found = createHash('sha256')
      .update(readFileSync(join(capi, name)))
      .digest('base64url');
    if (wanted !== found) throw new SetupError(`${name} is damaged: sha256 ${found}, expected ${wanted}; try again`);
  }
  for (const name of providerFiles) {
    const partial = join(target, `${name}.partial-${process.pid}`);
    copyFileSync(join(capi, name), partial);
    renameSync(partial, join(target, name));
  }
}

/**
 * @param {{ root: string, env: import('./paths.mjs').Env, from: 'wheel' | 'npm', report: import('./report.mjs').Report }} setting
 */
export async function provisionCuda({ root, env, from, report }) {
  const target = bindingFolder(root);
  if (`${process.platform}-${process.arch}` !== 'linux-x64')
    throw new SetupError(`the CUDA provider exists for linux-x64; this is ${process.platform}-${process.arch}`);
  if (!existsSync(target)) throw new SetupError('onnxruntime-node is not installed; type: npm run setup');
  const script = join(root, 'node_modules', 'onnxruntime-node');
  const { version } = JSON.parse(readFileSync(join(script, 'package.json'), 'utf8'));
  if (from === 'npm') {
    report.work('cuda', `onnxruntime-node ${version}: running its own install script`);
    const outcome = await runCommand(process.execPath, [join(script, 'script', 'install.js')], {
      cwd: script,
      // Its 'cuda12' is read as no flag at all (1.30.0), with which it does nothing where npm has started it.
      env: { ...env, ONNXRUNTIME_NODE_INSTALL: 'true' },
      timeoutMs: downloadTimeoutMs,
    });
    const missing = providerFiles.filter((name) => !existsSync(join(target, name)));
    if (outcome.code !== 0 || missing.length > 0)
      throw new SetupError(`onnxruntime-node's script failed (${lastWords(outcome, 2)}); try --from wheel`);
  } else {
    const python = await findPython(env);
    if (typeof python === 'string') throw new SetupError(`a Python with pip is needed: ${python}`);
    report.work('cuda', `onnxruntime-gpu ${version} from PyPI, about 250 MB`);
    const wheel = mkdtempSync(join(tmpdir(), 'onnxruntime-gpu-'));
    try {
      const why = await installWheels(python, wheel, ['--no-deps', `onnxruntime-gpu==${version}`], env);
      if (why !== null) throw new SetupError(`onnxruntime-gpu ${version} cannot be had: ${why}`);
      placeFromWheel({ wheel, target, version });
    } finally {
      rmSync(wheel, { recursive: true, force: true });
    }
  }
  report.work('cuda', `placed; set engine.executionProvider to 'cuda' in temporal.config.ts`);
}

/** @param {string[]} args */
async function main(args) {
  const from = args.length === 0 ? 'wheel' : args[0] === '--from' && args.length === 2 ? args[1] : null;
  if (from !== 'wheel' && from !== 'npm') {
    console.error(usage);
    return args.includes('--help') ? 0 : 2;
  }
  const report = makeReport((line) => console.error(line), { verbose: true });
  try {
    await provisionCuda({ root: cloneRoot, env: process.env, from, report });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup failed: ${error.message}`);
    return 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
