/**
 * Speed and memory of the policy engine: a training step and decoding against PyTorch and transformers, serving against
 * simpler schedules, each beside the machine's limit. Contestants are processes that take turns within one run; ratios
 * are medians over rounds. Adds its table to docs/log.md unless --no-log.
 *
 *   npm run bench:engine -- --python /path/to/python --sizes S,M --parts training,decoding,serving --rounds 7
 *
 * Without a Python that has torch, transformers and safetensors only our own figures are measured, and it says so.
 */
import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withHugePages } from '../cli/stack/worker-process.ts';
import { startContestant } from './engine/contestant.ts';
import { decoding } from './engine/decoding.ts';
import { peakFlops, readBandwidth } from './engine/limits.ts';
import { table, type Row } from './engine/report.ts';
import { serving } from './engine/serving.ts';
import { checkpointFiles, type SizeName } from './engine/sizes.ts';
import { training } from './engine/training.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    sizes: { type: 'string', default: 'S,M' },
    parts: { type: 'string', default: 'training,decoding,serving' },
    rounds: { type: 'string', default: '7' },
    compile: { type: 'boolean', default: true },
    log: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const rounds = Number(values.rounds);
const parts = values.parts.split(',');
const here = (file: string) => fileURLToPath(new URL(`engine/${file}`, import.meta.url));
// In the environment of a gpu worker.
const ours = () =>
  startContestant('ours', process.execPath, ['--import', 'tsx', here('ours.ts')], withHugePages(process.env));
const rival = (name: string) => startContestant(name, values.python, [here('reference.py')]);

const probe = spawnSync(values.python, ['-c', 'import torch, transformers, safetensors; print(torch.__version__)']);
const hasTorch = probe.status === 0;
if (!hasTorch) console.error(`${values.python} has no torch, transformers and safetensors: no rival is measured`);

async function measure(size: SizeName, folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  if (parts.includes('training')) {
    const names = hasTorch ? ['torch eager', ...(values.compile ? ['torch.compile'] : [])] : [];
    const own = ours();
    const rivals = names.map(rival);
    rows.push(...(await training(own, rivals, { folder, size, rounds, peakFlops: await peakFlops(2) })));
    await Promise.all([own, ...rivals].map((contestant) => contestant.stop()));
  }
  if (parts.includes('decoding')) {
    const transformers = hasTorch ? rival('transformers') : undefined;
    const bandwidth = readBandwidth();
    for (const weights of ['float32', 'int8'] as const) {
      const own = ours();
      rows.push(...(await decoding(own, transformers, { folder, size, rounds, bandwidth, weights })));
      await own.stop();
    }
    await transformers?.stop();
  }
  if (parts.includes('serving')) rows.push(...(await serving(ours, folder, size, Math.min(rounds, 3))));
  return rows;
}

const rows: Row[] = [];
for (const size of values.sizes.split(',') as SizeName[]) {
  const folder = await mkdtemp(join(tmpdir(), 'metaagentx-bench-'));
  for (const [name, content] of Object.entries(checkpointFiles(size))) await writeFile(join(folder, name), content);
  try {
    rows.push(...(await measure(size, folder)));
  } finally {
    await rm(folder, { recursive: true });
  }
}
const torch = hasTorch ? `torch ${probe.stdout.toString().trim()}` : 'no torch';
const today = new Date().toISOString().slice(0, 10);
const machine = `${cpus().length} cores of ${cpus()[0]!.model}`;
const text = table(`Engine, ${today}, ${machine}, ${torch}, ${rounds} rounds`, rows);
if (values.log) await appendFile(fileURLToPath(new URL('../docs/log.md', import.meta.url)), text);
console.log(text);
