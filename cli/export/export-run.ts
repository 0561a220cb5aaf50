/** Writes a run's trajectories and credits, batch by batch: every iteration, then every evaluation. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../../activities/policy/huggingface/write-folder.ts';
import { readRun } from '../../activities/run-context.ts';
import type { Store } from '../../activities/store/connect.ts';
import { DomainError } from '../../shared/errors.ts';
import { TableFiles } from './table-files.ts';
import { callRow, creditRow, designRow, executionRow, tables } from './tables.ts';

export interface ExportedFile {
  name: string;
  rows: number;
  sha256: string;
}

const manifest = 'export.json';

/** Throws `RunNotFound`, and `InvalidInput` where the folder holds files already. */
export async function exportRun(store: Store, runId: string, folder: string, program: string): Promise<ExportedFile[]> {
  const run = await readRun(store, runId);
  await emptyFolder(folder);
  const files = new Map(tables.map((plan) => [plan.name, new TableFiles(plan, folder, { runId, program })]));
  for (const batchId of await batchesOf(store, runId)) await writeBatch(store, batchId, files);
  const written: ExportedFile[] = [];
  for (const table of files.values()) {
    for (const name of await table.finish())
      written.push({ name, rows: table.rows, sha256: await digestOf(join(folder, name)) });
  }
  // Last: where it stands, the export is whole.
  const { datasets, status, recipe } = run;
  const columns = Object.fromEntries(tables.map((plan) => [plan.name, plan.columns]));
  const about = {
    runId,
    status,
    program,
    recipe: recipe.name,
    seed: recipe.seed,
    datasets,
    tables: columns,
    files: written,
  };
  await writeFile(join(folder, manifest), `${JSON.stringify(about, null, 2)}\n`);
  return written;
}

async function emptyFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  const there = await readdir(folder);
  const foreign = there.filter((name) => !name.endsWith('.partial'));
  if (foreign.length === 0) return;
  throw new DomainError('InvalidInput', `'${folder}' is not empty (it holds '${foreign[0]}'): name another folder`, {
    folder,
  });
}

/** In the order of training; evaluations last. */
async function batchesOf(store: Store, runId: string): Promise<string[]> {
  const [iterations, evaluations] = await Promise.all([
    store.iterations.find({ runId }, { projection: { stage: 1, iteration: 1 } }).toArray(),
    store.evaluations.find({ runId }, { projection: { policyVersion: 1 } }).toArray(),
  ]);
  iterations.sort((a, b) => a.stage - b.stage || a.iteration - b.iteration);
  evaluations.sort((a, b) => a.policyVersion - b.policyVersion || (a._id < b._id ? -1 : 1));
  return [...iterations, ...evaluations].map(({ _id }) => _id);
}

async function writeBatch(store: Store, batchId: string, files: ReadonlyMap<string, TableFiles>): Promise<void> {
  const [designs, executions, verdicts, calls, credits] = await Promise.all([
    store.designs.find({ batchId }).sort({ _id: 1 }).toArray(),
    store.executions.find({ batchId }).sort({ _id: 1 }).toArray(),
    store.verdicts.find({ batchId }).toArray(),
    store.calls.find({ batchId }).sort({ _id: 1 }).toArray(),
    store.credits.find({ batchId }).sort({ _id: 1 }).toArray(),
  ]);
  const verdictOf = new Map(verdicts.map((verdict) => [verdict._id, verdict]));
  await files.get('designs')!.write(designs.map(designRow));
  await files.get('executions')!.write(executions.map((each) => executionRow(each, verdictOf.get(each._id))));
  await files.get('calls')!.write(calls.map(callRow));
  await files.get('credits')!.write(credits.map(creditRow));
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
