/** What a run was made with: the machine and the libraries that its numbers depend on. For readers; nothing reads it back. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, release, type } from 'node:os';

const libraries = ['onnxruntime-node', '@temporalio/worker', 'mongodb', 'quickjs-wasi'];

/** Names and values, as a report shows them. */
export async function environmentFacts(): Promise<Record<string, string>> {
  const { resolve } = createRequire(import.meta.url);
  const versions = await Promise.all(libraries.map(async (name) => [name, await versionOf(name, resolve)] as const));
  return {
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} usable`,
    ...Object.fromEntries(versions),
  };
}

/** From its package.json, which not every package exports: read from the folder itself. */
async function versionOf(name: string, resolve: NodeJS.RequireResolve): Promise<string> {
  for (const folder of resolve.paths(name) ?? []) {
    const text = await readFile(`${folder}/${name}/package.json`, 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { version: string }).version;
  }
  return 'unknown';
}
