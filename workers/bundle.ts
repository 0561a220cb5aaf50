/**
 * The workflow bundle, built once per content of the sources and shared by all workers of a clone: starting a worker then
 * costs no webpack run.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { failureConverterPath } from '../activities/payloads/data-converter.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Everything that a workflow may import. */
const sourceFolders = ['workflows', 'shared/domain', 'shared/plan', 'shared'];

async function sourceDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of sourceFolders) {
    const files = (await readdir(join(root, folder))).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
    );
    for (const file of files.sort()) hash.update(file).update(await readFile(join(root, folder, file)));
  }
  hash.update(await readFile(join(root, 'package-lock.json')));
  return hash.digest('hex').slice(0, 16);
}

interface BundleOptions {
  /** With OpenTelemetry's interceptors. */
  traced?: boolean;
  /** Messages of failures travel in payloads, which a codec encrypts. */
  encrypted?: boolean;
}

/** The bundle from `stateDir`, built first where it is missing or stale. */
export async function workflowBundle(
  stateDir: string,
  { traced = false, encrypted = false }: BundleOptions = {},
): Promise<WorkflowBundleWithSourceMap> {
  const kind = `${traced ? '-traced' : ''}${encrypted ? '-encrypted' : ''}`;
  const path = join(stateDir, `workflow-bundle-${await sourceDigest()}${kind}.js`);
  const standing = await readFile(path, 'utf8').catch(() => null);
  if (standing !== null) return { code: standing } as WorkflowBundleWithSourceMap;
  const bundle = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows/index.ts'),
    workflowInterceptorModules: traced ? ['@temporalio/interceptors-opentelemetry/lib/workflow-interceptors'] : [],
    ...(encrypted ? { failureConverterPath } : {}),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error },
  });
  await mkdir(stateDir, { recursive: true });
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, bundle.code);
  await rename(partial, path);
  return bundle;
}
