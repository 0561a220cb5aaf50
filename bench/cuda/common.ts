/** What the parts of the card's benchmark share: engines with the same weights, requests, and figures as JSON lines. */
import type { GenerateRequest, SftSettings, Tensors } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import type { Precision } from '../../shared/model/interface.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { initialAdapter, type LoraSpec } from '../../shared/model/lora.ts';
import { normals, uniforms } from '../engine/draws.ts';

/** A model under measurement. */
export interface Model {
  name: string;
  config: DecoderConfig;
  weights: Tensors;
  tokenizerJson: string;
  /** Sequences and tokens of each in one training step. */
  step: { rows: number; length: number };
  threads: number;
}

export type Provider = 'cpu' | 'cuda';

const lora: LoraSpec = { rank: 16, alpha: 32, targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj'] };

export const print = (figure: object) => console.log(JSON.stringify(figure));
export const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** Milliseconds of each round, the first one left out. */
export async function medianMs(rounds: number, work: () => Promise<unknown>): Promise<number> {
  await work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return median(times);
}

/** A part that fails is said, and the others go on. */
export async function part(name: string, work: () => Promise<object>): Promise<void> {
  const started = performance.now();
  const seconds = () => Number(((performance.now() - started) / 1000).toFixed(1));
  try {
    print({ name, ...(await work()), seconds: seconds() });
  } catch (error) {
    print({ name, failed: String(error).slice(0, 600), seconds: seconds() });
  }
}

/** With version `v`, and `lora` on it. */
export async function open(model: Model, provider: Provider, decodeChunk = 1, spares = true): Promise<LocalEngine> {
  const { config, weights, tokenizerJson, threads } = model;
  const counts = { decodeThreads: provider === 'cpu' ? 4 : 1, trainThreads: threads, spin: true };
  const limits = { maxBatch: 64, maxPrefillTokens: 32_768, constantWeightBytes: 16 * 2 ** 30 };
  const engine = new LocalEngine({ executionProvider: provider, ...counts, ...limits, decodeChunk });
  const parameters = spares ? new Map([...weights].map(([name, tensor]) => [name, tensor.slice()])) : weights;
  await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters });
  const next = normals(3);
  const adapter = initialAdapter(config, lora, (_, length) => Float32Array.from({ length }, next));
  const source = { config, tokenizerJson, parameters: adapter, adapts: { version: 'v', lora } };
  await engine.loadPolicy({ version: 'lora', ...source });
  return engine;
}

/** `rows` lists of `length` token ids. */
export function rowsOf({ config }: Model, rows: number, length: number, seed: number): number[][] {
  const next = uniforms(seed);
  return Array.from({ length: rows }, () => Array.from({ length }, () => Math.floor(next() * config.vocabSize)));
}

export const call = (
  prompt: readonly number[],
  i: number,
  temperature: number,
  maxTokens: number,
  weights: Precision = 'float32',
): GenerateRequest => ({
  version: 'v',
  promptIds: Int32Array.from(prompt),
  sampling: { temperature, topP: 1, topK: 0, minP: 0, maxTokens, stopStrings: [] },
  seedKey: `call/${i}`,
  stopTokenIds: [],
  weights,
});

export const examplesOf = (model: Model) =>
  rowsOf(model, model.step.rows, model.step.length + 1, 7).map((ids, row) => ({
    id: String(row),
    promptIds: Int32Array.from(ids.slice(0, 1)),
    responseIds: Int32Array.from(ids.slice(1)),
  }));

/** With a large epsilon a step is as large as its gradient, and rounding shows as rounding. */
export const supervised = (model: Model, steps: number, epsilon: number): SftSettings => ({
  learningRate: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon,
  weightDecay: 0,
  maxGradNorm: 1,
  steps,
  batchSize: model.step.rows,
  warmupSteps: 0,
  schedule: 'constant',
  finalLearningRate: 1e-4,
  maxTokensPerMicroBatch: 1e9,
  orderKey: 'o',
});

/** Milliseconds of a step after the first. */
export async function stepMs(
  engine: LocalEngine,
  model: Model,
  rounds: number,
  baseVersion: string,
  settings: Partial<SftSettings> = {},
): Promise<number> {
  const examples = examplesOf(model);
  const times: number[] = [];
  let last = 0;
  await engine.sft(
    {
      baseVersion,
      newVersion: `timed ${baseVersion} ${JSON.stringify(settings)}`,
      examples,
      settings: { ...supervised(model, rounds + 1, 1e-8), ...settings },
    },
    {
      onProgress: () => {
        const now = performance.now();
        if (last > 0) times.push(now - last);
        last = now;
      },
    },
  );
  return median(times);
}
