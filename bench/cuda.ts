/**
 * The engine on an NVIDIA card: its results against the processor's, and its speed against the processor's and against
 * PyTorch's on the same card. Needs the provider (`npm run setup:cuda`) and CUDA's libraries; prints one JSON line a figure.
 *
 *   npm run bench:cuda -- --sizes S,M --parts equality,repeats,rounded,speed,reference,architectures,large --python python3
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { forbidTf32 } from '../activities/runtime/engine/execution-provider.ts';
import { decodeSafetensors } from '../shared/model/checkpoint/safetensors.ts';
import { architectureModels } from './cuda/architectures.ts';
import { open, part } from './cuda/common.ts';
import type { Model } from './cuda/common.ts';
import { equality } from './cuda/equality.ts';
import { large, largeModel } from './cuda/large.ts';
import { repeats } from './cuda/repeats.ts';
import { rounded } from './cuda/rounded.ts';
import { reference, speed } from './cuda/speed.ts';
import { checkpointFiles, sizes, trainingBatches, type SizeName } from './engine/sizes.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'S,M' },
    /** Some of these. */
    parts: { type: 'string', default: 'equality,repeats,rounded,speed,reference,architectures,large' },
    python: { type: 'string', default: 'python3' },
    device: { type: 'string', default: 'cuda' },
    rounds: { type: 'string', default: '5' },
    /** Of one and the same step. */
    repeats: { type: 'string', default: '20' },
    threads: { type: 'string', default: '8' },
    /** Of the large model: fewer make a small one, to try the part itself. */
    'large-layers': { type: 'string', default: '11' },
  },
});
const device = values.device as 'cuda' | 'cpu';
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const parts = values.parts.split(',');
forbidTf32(device);
const tokenizerJson = readFileSync(new URL('../runs/assets/toy-tokenizer.json', import.meta.url), 'utf8');

for (const size of values.sizes.split(',').filter((name) => name !== '') as SizeName[]) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-cuda-'));
  for (const [name, content] of Object.entries(checkpointFiles(size))) await writeFile(join(folder, name), content);
  const weights = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')));
  const model: Model = {
    name: size,
    config: sizes[size],
    weights,
    tokenizerJson,
    threads,
    step: trainingBatches[size],
  };
  if (['equality', 'repeats', 'rounded'].some((name) => parts.includes(name))) {
    const cpu = await open(model, 'cpu');
    if (parts.includes('equality'))
      await part(`${size} equality`, async () => (await equality(model, cpu, device), {}));
    if (parts.includes('repeats'))
      await part(`${size} repeats`, async () => (await repeats(model, cpu, device, Number(values.repeats)), {}));
    if (parts.includes('rounded'))
      await part(`${size} rounded`, async () => (await rounded(model, cpu, device, rounds), {}));
  }
  if (parts.includes('speed'))
    for (const chunk of [1, 16, 64])
      await part(`${size} speed`, async () => (await speed(model, device, chunk, rounds), {}));
  if (parts.includes('reference'))
    await part(`${size} reference`, async () => {
      await reference(model, folder, { python: values.python, device, rounds });
      return {};
    });
  if (parts.includes('speed') && device !== 'cpu')
    await part(`${size} speed`, async () => (await speed(model, 'cpu', 1, rounds), {}));
  await rm(folder, { recursive: true });
}
if (parts.includes('architectures'))
  for (const model of architectureModels(tokenizerJson, threads))
    await part(model.name, async () => {
      const cpu = await open(model, 'cpu');
      await equality(model, cpu, device);
      await repeats(model, cpu, device, Number(values.repeats));
      return {};
    });
if (parts.includes('large'))
  await part('large', async () => {
    await large(largeModel(tokenizerJson, threads, Number(values['large-layers'])), device, rounds);
    return {};
  });
