/**
 * The engine on an NVIDIA card: its results against the processor's, and its speed against the processor's and against
 * PyTorch's on the same card. Needs the provider (`npm run setup:cuda`) and CUDA's libraries; prints one JSON line a figure.
 *
 *   node --import tsx bench/engine/cuda.ts --sizes S,M --python python3
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { GenerateRequest, SftSettings, Tensors } from '../../activities/runtime/engine/contract.ts';
import { forbidTf32 } from '../../activities/runtime/engine/execution-provider.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { decodeSafetensors } from '../../shared/model/checkpoint/safetensors.ts';
import { initialAdapter, type LoraSpec } from '../../shared/model/lora.ts';
import { startContestant } from './contestant.ts';
import { normals } from './draws.ts';
import { checkpointFiles, sizes, tokenRows, trainingBatches, type SizeName } from './sizes.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'S,M' },
    python: { type: 'string', default: 'python3' },
    device: { type: 'string', default: 'cuda' },
    rounds: { type: 'string', default: '5' },
    /** Results only, no timing. */
    equality: { type: 'boolean', default: false },
    threads: { type: 'string', default: '8' },
  },
});
const device = values.device as 'cuda' | 'cpu';
forbidTf32(device);
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const tokenizerJson = readFileSync(new URL('../../runs/assets/toy-tokenizer.json', import.meta.url), 'utf8');
const lora: LoraSpec = { rank: 16, alpha: 32, targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj'] };
const newTokens = 64;

const print = (figure: object) => console.log(JSON.stringify(figure));
const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
async function medianMs(work: (round: number) => Promise<unknown>): Promise<number> {
  await work(-1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await timed(() => work(round)));
  return median(times);
}
/** A part that fails is said, and the others go on. */
async function part(name: string, work: () => Promise<object>): Promise<void> {
  try {
    print({ name, ...(await work()) });
  } catch (error) {
    print({ name, failed: String(error).slice(0, 600) });
  }
}

async function open(size: SizeName, provider: 'cpu' | 'cuda', decodeChunk: number, weights: Tensors) {
  const counts = { decodeThreads: provider === 'cpu' ? 4 : 1, trainThreads: threads, spin: true };
  const limits = { maxBatch: 64, maxPrefillTokens: 32_768, constantWeightBytes: 2 ** 30 };
  const engine = new LocalEngine({ executionProvider: provider, ...counts, ...limits, decodeChunk });
  const config = sizes[size];
  const copy = new Map([...weights].map(([name, tensor]) => [name, tensor.slice()]));
  await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters: copy });
  const next = normals(3);
  const adapter = initialAdapter(config, lora, (_, length) => Float32Array.from({ length }, next));
  const source = { config, tokenizerJson, parameters: adapter, adapts: { version: 'v', lora } };
  await engine.loadPolicy({ version: 'lora', ...source });
  return engine;
}

const call = (prompt: readonly number[], i: number, temperature: number, maxTokens: number): GenerateRequest => ({
  version: 'v',
  promptIds: Int32Array.from(prompt),
  sampling: { temperature, topP: 1, topK: 0, minP: 0, maxTokens, stopStrings: [] },
  seedKey: `call/${i}`,
  stopTokenIds: [],
});

function examplesOf(size: SizeName) {
  const { rows, length } = trainingBatches[size];
  return tokenRows(size, rows, length + 1, 7).map((ids, row) => ({
    id: String(row),
    promptIds: Int32Array.from(ids.slice(0, 1)),
    responseIds: Int32Array.from(ids.slice(1)),
  }));
}
/** A large epsilon, so that a step is as large as its gradient and rounding shows as rounding. */
const step = (size: SizeName, steps: number, epsilon: number): SftSettings => ({
  learningRate: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon,
  weightDecay: 0,
  maxGradNorm: 1,
  steps,
  batchSize: trainingBatches[size].rows,
  warmupSteps: 0,
  schedule: 'constant',
  finalLearningRate: 1e-4,
  maxTokensPerMicroBatch: 1e9,
  orderKey: 'o',
});

/** Sequences whose ratios lie on both sides of the clip, with advantages of both signs, a KL term and an entropy bonus. */
async function policyGradientOf(size: SizeName, engine: LocalEngine) {
  const examples = examplesOf(size);
  const logProbs = await engine.logProbs({ version: 'v', sequences: examples });
  const next = normals(19);
  const near = (values: Float32Array, deviation: number) =>
    values.map((value) => Math.min(0, value + deviation * next()));
  const sequences = examples.map((example, i) => ({
    ...example,
    advantage: next(),
    oldLogProbs: near(logProbs[i]!, 0.2),
    referenceLogProbs: near(logProbs[i]!, 0.2),
  }));
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, maxTokensPerMicroBatch, orderKey } = step(
    size,
    1,
    1,
  );
  const adam = { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, maxTokensPerMicroBatch, orderKey };
  const clipped = { clipLow: 0.2, clipHigh: 0.28, klCoef: 0.01, entropyCoef: 0.01, epochs: 1, miniBatches: 1 };
  return { sequences, settings: { ...adam, ...clipped } };
}

interface Stepped {
  optimizer: { m: Tensors };
  metrics: { loss: number };
}

/** After one step m is 0.1 times the clipped gradient. */
function compareSteps(a: Stepped, b: Stepped) {
  let worst = 0;
  for (const [name, m] of a.optimizer.m) {
    const other = b.optimizer.m.get(name)!;
    const [gap, largest] = [new Float64Array(1), new Float64Array(1)];
    m.forEach((x, i) => {
      gap[0] = Math.max(gap[0]!, Math.abs(x - other[i]!));
      largest[0] = Math.max(largest[0]!, Math.abs(x));
    });
    if (largest[0]! > 0) worst = Math.max(worst, gap[0]! / largest[0]!);
  }
  return { worstGradient: worst, metrics: [a.metrics, b.metrics] };
}

async function equality(size: SizeName, weights: Tensors): Promise<void> {
  const cpu = await open(size, 'cpu', 1, weights);
  const single = await open(size, device, 1, weights);
  const chunked = await open(size, device, 16, weights);
  const prompts = tokenRows(size, 16, 40, 5);
  const variants = [{}, { topK: 20 }, { topP: 0.9 }, { minP: 0.05 }];
  const requests = prompts.map((prompt, i) => {
    const request = call(prompt, i, i % 5 === 4 ? 0 : 1, 48);
    return { ...request, sampling: { ...request.sampling, ...variants[i % 4] } };
  });
  const sampledBy = (engine: LocalEngine) => Promise.all(requests.map((request) => engine.generate(request)));
  const sampled = await sampledBy(cpu);
  for (const [name, engine] of Object.entries({ single, chunked })) {
    await part(`${size} sampling ${device} ${name} against cpu`, async () => {
      const other = await sampledBy(engine);
      let [equal, gap] = [0, 0];
      sampled.forEach(({ tokenIds, logProbs }, i) => {
        const differs = tokenIds.findIndex((id, t) => id !== other[i]!.tokenIds[t]);
        equal += Number(differs < 0);
        const same = differs < 0 ? tokenIds.length : differs;
        for (let t = 0; t < same; t++) gap = Math.max(gap, Math.abs(logProbs[t]! - other[i]!.logProbs[t]!));
      });
      return { calls: sampled.length, equalCalls: equal, largestLogProbGap: gap };
    });
  }
  const examples = examplesOf(size);
  await part(`${size} log-probs ${device} against cpu`, async () => {
    const [a, b] = await Promise.all(
      [cpu, single].map((engine) => engine.logProbs({ version: 'v', sequences: examples })),
    );
    return { largestGap: Math.max(...a!.map((row, i) => Math.max(...row.map((x, t) => Math.abs(x - b![i]![t]!))))) };
  });
  for (const baseVersion of ['v', 'lora']) {
    await part(`${size} step of ${baseVersion} ${device} against cpu`, async () => {
      const settings = step(size, 1, 1);
      const request = { baseVersion, newVersion: `next ${baseVersion}`, examples, settings };
      return compareSteps(await cpu.sft(request), await single.sft(request));
    });
    await part(`${size} policy-gradient step of ${baseVersion} ${device} against cpu`, async () => {
      const request = { baseVersion, newVersion: `learned ${baseVersion}`, ...(await policyGradientOf(size, cpu)) };
      return compareSteps(await cpu.update(request), await single.update(request));
    });
  }
}

async function speed(size: SizeName, provider: 'cpu' | 'cuda', chunk: number, weights: Tensors): Promise<void> {
  const engine = await open(size, provider, chunk, weights);
  const label = `${size} ${provider} chunk ${chunk}`;
  for (const batch of [1, 8, 64]) {
    const prompts = tokenRows(size, batch, 32, 11);
    await part(`${label} decode batch ${batch}`, async () => {
      const ms = await medianMs(() => Promise.all(prompts.map((p, i) => engine.generate(call(p, i, 0, newTokens)))));
      return { tokensPerSecond: (1000 * batch * newTokens) / ms };
    });
  }
  if (chunk > 1) return;
  await part(`${label} prefill 16x512`, async () => {
    const prompts = tokenRows(size, 16, 512, 12);
    const ms = await medianMs(() => Promise.all(prompts.map((p, i) => engine.generate(call(p, i, 0, 1)))));
    return { ms };
  });
  for (const baseVersion of ['v', 'lora']) {
    await part(`${label} training step of ${baseVersion}`, async () => {
      const examples = examplesOf(size);
      const train = (steps: number, newVersion: string) =>
        engine.sft({ baseVersion, newVersion, examples, settings: step(size, steps, 1e-8) });
      await train(1, `warm ${baseVersion}`);
      const times: number[] = [];
      let last = 0;
      await engine.sft(
        { baseVersion, newVersion: `timed ${baseVersion}`, examples, settings: step(size, rounds + 1, 1e-8) },
        {
          onProgress: () => {
            const now = performance.now();
            if (last > 0) times.push(now - last);
            last = now;
          },
        },
      );
      return { ms: median(times) };
    });
  }
}

async function reference(size: SizeName, folder: string): Promise<void> {
  const torch = startContestant('torch', values.python, [fileURLToPath(new URL('reference.py', import.meta.url))]);
  await part(`${size} torch ${device}`, () => torch.ask({ op: 'open', folder, threads, device }));
  for (const batch of [1, 8, 64]) {
    const prompts = tokenRows(size, batch, 32, 11);
    await part(`${size} torch ${device} decode batch ${batch}`, async () => {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) {
        const { ms } = await torch.ask<{ ms: number }>({ op: 'generate', prompts, newTokens });
        if (round > 0) times.push(ms);
      }
      return { tokensPerSecond: (1000 * batch * newTokens) / Math.min(...times) };
    });
  }
  await part(`${size} torch ${device} prefill 16x512`, async () => {
    const prompts = tokenRows(size, 16, 512, 12);
    const times: number[] = [];
    for (let round = 0; round < 4; round++)
      times.push((await torch.ask<{ ms: number }>({ op: 'generate', prompts, newTokens: 1 })).ms);
    return { ms: median(times.slice(1)) };
  });
  await part(`${size} torch ${device} training step`, async () => {
    const { rows, length } = trainingBatches[size];
    const ids = tokenRows(size, rows, length + 1, 7);
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++)
      times.push((await torch.ask<{ ms: number }>({ op: 'train', rows: ids })).ms);
    return { ms: median(times.slice(1)) };
  });
  await torch.stop();
}

for (const size of values.sizes.split(',') as SizeName[]) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-cuda-'));
  const files = checkpointFiles(size);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const weights = decodeSafetensors(readFileSync(join(folder, 'model.safetensors')));
  await part(`${size} equality`, async () => (await equality(size, weights), {}));
  if (values.equality) continue;
  for (const chunk of [1, 16, 64])
    await part(`${size} speed`, async () => (await speed(size, device, chunk, weights), {}));
  await part(`${size} reference`, async () => (await reference(size, folder), {}));
  if (device !== 'cpu') await part(`${size} speed`, async () => (await speed(size, 'cpu', 1, weights), {}));
  await rm(folder, { recursive: true });
}
