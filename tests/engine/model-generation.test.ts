import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { buildDecodeGraph } from '../../shared/model/decode-graph.ts';
import { cacheWindowMultiple } from '../../shared/model/interface.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { buildPrefillGraph } from '../../shared/model/prefill-graph.ts';
import { openGraph, type Runner } from './onnx-run.ts';
import { readFixture, relativeError, unpack, unpackAll, type DecoderFixture } from './torch-fixture.ts';

interface Cache {
  /** Per layer [numKvHeads, tokens, headDim]. */
  readonly k: Float32Array[];
  readonly v: Float32Array[];
}
interface Row {
  readonly logits: Float32Array;
  readonly cache: Cache;
}

/** A decoder's two generation graphs with its parameters. */
class Generator {
  readonly config: DecoderConfig;
  private readonly parameters: Record<string, Float32Array>;
  private readonly prefillRunner: Runner;
  private readonly decodeRunner: Runner;

  private constructor(
    config: DecoderConfig,
    parameters: Record<string, Float32Array>,
    prefill: Runner,
    decode: Runner,
  ) {
    this.config = config;
    this.parameters = parameters;
    this.prefillRunner = prefill;
    this.decodeRunner = decode;
  }

  static async open(config: DecoderConfig, parameters: Record<string, Float32Array>, fixed = false, threads = 1) {
    const options = fixed ? { weights: new Map(Object.entries(parameters)) } : {};
    const prefill = await openGraph(buildPrefillGraph(config, options), threads);
    return new Generator(config, parameters, prefill, await openGraph(buildDecodeGraph(config, options), threads));
  }

  /** `noise` fills the padding. */
  async prefill(prompts: readonly (readonly number[])[], width: number, noise: () => number): Promise<Row[]> {
    const { vocabSize, numLayers, numKvHeads, headDim } = this.config;
    const ids = prompts.flatMap((ids) => [
      ...ids,
      ...Array.from({ length: width - ids.length }, () => Math.floor(noise() * vocabSize)),
    ]);
    const feeds = {
      ...this.parameters,
      input_ids: ids,
      last: prompts.map((prompt, b) => b * width + prompt.length - 1),
    };
    const out = await this.prefillRunner.run(feeds, { B: prompts.length, T: width, L: prompts.length });
    return prompts.map((prompt, b) => {
      const take = (kind: string) =>
        Array.from({ length: numLayers }, (_, layer) => {
          const kept = new Float32Array(numKvHeads * prompt.length * headDim);
          for (let head = 0; head < numKvHeads; head += 1) {
            const from = (b * numKvHeads + head) * width * headDim;
            kept.set(
              out[`${kind}.${layer}`]!.subarray(from, from + prompt.length * headDim),
              head * prompt.length * headDim,
            );
          }
          return kept;
        });
      return {
        logits: out['logits']!.slice(b * vocabSize, (b + 1) * vocabSize),
        cache: { k: take('k'), v: take('v') },
      };
    });
  }

  /** One token for each row; `noise` fills what lies beyond a row's cache. */
  async decode(
    caches: readonly Cache[],
    tokens: readonly number[],
    window: number,
    noise: () => number,
  ): Promise<Row[]> {
    const { vocabSize, numLayers, numKvHeads, headDim } = this.config;
    const lengths = caches.map((cache) => cache.k[0]!.length / numKvHeads / headDim);
    const feeds: Record<string, Float32Array | number[]> = { ...this.parameters, input_ids: [...tokens], lengths };
    for (let layer = 0; layer < numLayers; layer += 1) {
      for (const kind of ['k', 'v'] as const) {
        const past = new Float32Array(caches.length * numKvHeads * window * headDim);
        for (let i = 0; i < past.length; i += 1) past[i] = noise() - 0.5;
        caches.forEach((cache, b) => {
          for (let head = 0; head < numKvHeads; head += 1) {
            const size = lengths[b]! * headDim;
            past.set(
              cache[kind][layer]!.subarray(head * size, (head + 1) * size),
              (b * numKvHeads + head) * window * headDim,
            );
          }
        });
        feeds[`past_${kind}.${layer}`] = past;
      }
    }
    const out = await this.decodeRunner.run(feeds, { B: caches.length, W: window });
    return caches.map((_, b) => {
      const grow = (kind: 'k' | 'v') =>
        Array.from({ length: numLayers }, (_, layer) => {
          const size = (lengths[b]! + 1) * headDim;
          const grown = new Float32Array(numKvHeads * size);
          for (let head = 0; head < numKvHeads; head += 1) {
            const from = (b * numKvHeads + head) * window * headDim;
            grown.set(out[`next_${kind}.${layer}`]!.subarray(from, from + size), head * size);
          }
          return grown;
        });
      return {
        logits: out['logits']!.slice(b * vocabSize, (b + 1) * vocabSize),
        cache: { k: grow('k'), v: grow('v') },
      };
    });
  }

  async close(): Promise<void> {
    await this.prefillRunner.close();
    await this.decodeRunner.close();
  }
}

/** Deterministic numbers in [0, 1) (a linear congruence of Numerical Recipes). */
function noiseFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Digests of the logits and of every layer's keys and values. */
const bits = ({ logits, cache }: Row) =>
  [logits, ...cache.k, ...cache.v].map((numbers) => createHash('sha256').update(numbers).digest('hex'));

describe.each(['qwen3', 'qwen2', 'llama'])('%s', (name) => {
  test('prefill and decode give the logits of PyTorch at every position', async () => {
    const fixture = readFixture<DecoderFixture>(name);
    const { batch, length, lengths, inputIds, config } = fixture;
    const wanted = unpack(fixture.logits);
    const logitsAt = (b: number, t: number) => {
      const from = (b * length + t) * config.vocabSize;
      return wanted.subarray(from, from + config.vocabSize);
    };
    for (const fixed of [false, true]) {
      const generator = await Generator.open(config, unpackAll(fixture.parameters), fixed);
      const rows = Array.from({ length: batch }, (_, b) => inputIds.slice(b * length, b * length + lengths[b]!));
      const start = [3, 1, 4];
      const noise = noiseFrom(1);
      let state = await generator.prefill(
        rows.map((ids, b) => ids.slice(0, start[b])),
        5,
        noise,
      );
      let seen = start;
      for (;;) {
        state.forEach((row, b) => expect(relativeError(row.logits, logitsAt(b, seen[b]! - 1))).toBeLessThan(1e-5));
        const alive = seen.map((count, b) => (count < lengths[b]! ? b : -1)).filter((b) => b >= 0);
        if (alive.length < batch) break;
        const tokens = rows.map((ids, b) => ids[seen[b]!]!);
        state = await generator.decode(
          state.map((row) => row.cache),
          tokens,
          9,
          noise,
        );
        seen = seen.map((count) => count + 1);
      }
      expect(Math.max(...seen)).toBeGreaterThan(4);
      await generator.close();
    }
  });
});

/** Sizes that meet different matrix kernels: one or several queries a key head, odd group, wide heads. */
const variants = [
  { numHeads: 4, numKvHeads: 2, headDim: 32, hiddenSize: 128, intermediateSize: 384 },
  { numHeads: 2, numKvHeads: 2, headDim: 64, hiddenSize: 160, intermediateSize: 320 },
  { numHeads: 6, numKvHeads: 2, headDim: 16, hiddenSize: 96, intermediateSize: 352 },
  { numHeads: 4, numKvHeads: 1, headDim: 128, hiddenSize: 256, intermediateSize: 768 },
];

describe.each(variants)('bit-exact rows: %o', (sizes) => {
  const config: DecoderConfig = {
    ...sizes,
    architecture: 'qwen3',
    vocabSize: 176,
    numLayers: 2,
    ropeTheta: 10000,
    rmsNormEps: 1e-6,
    tieEmbeddings: true,
    maxPositions: 512,
    attentionBias: false,
    qkNorm: true,
  };
  const noise = noiseFrom(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - noise())) * Math.cos(2 * Math.PI * noise());
  const parameters = Object.fromEntries(
    initialParameters(config, (_, n) => Array.from({ length: n }, () => 4 * normal())),
  );

  test.each([false, true])(
    'a row alone equals the row in any batch and any padding (weights in the graph: %s)',
    async (fixed) => {
      const generator = await Generator.open(config, parameters, fixed);
      const pick = (n: number) => Math.floor(noise() * n);
      const prompt = (length: number) => Array.from({ length }, () => pick(config.vocabSize));
      const multiple = cacheWindowMultiple;
      for (const length of [1, 17, 64, 130]) {
        const target = prompt(length);
        const token = pick(config.vocabSize);
        const least = Math.ceil(length / multiple) * multiple;
        const leastWindow = length + 1;
        const [alone] = await generator.prefill([target, target], least, noise);
        const [next] = await generator.decode([alone!.cache, alone!.cache], [token, token], leastWindow, noise);
        for (let round = 0; round < 3; round += 1) {
          const others = Array.from({ length: 1 + pick(6) }, () => prompt(1 + pick(150)));
          const place = pick(others.length + 1);
          const width =
            Math.max(least, ...others.map((ids) => Math.ceil(ids.length / multiple) * multiple)) + multiple * pick(3);
          const batch = [...others.slice(0, place), target, ...others.slice(place)];
          const rows = await generator.prefill(batch, width, noise);
          expect(bits(rows[place]!), `prefill ${length}`).toEqual(bits(alone!));
          const window = width + 1 + pick(100);
          const tokens = batch.map((_, b) => (b === place ? token : pick(config.vocabSize)));
          const decoded = await generator.decode(
            rows.map((row) => row.cache),
            tokens,
            window,
            noise,
          );
          expect(bits(decoded[place]!), `decode ${length}`).toEqual(bits(next!));
        }
      }
      await generator.close();
    },
  );
});
