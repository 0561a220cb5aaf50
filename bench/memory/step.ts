/** One training step of one long sequence in a process of its own; prints the peak of its memory in bytes. */
import { readFileSync } from 'node:fs';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { initialParameters } from '../../shared/model/parameters.ts';
import { normals } from '../engine/draws.ts';
import { sizes } from '../engine/sizes.ts';

const { layers, width, length, recompute } = JSON.parse(process.argv[2]!) as Record<string, number>;
const config = {
  ...sizes.S,
  numLayers: layers!,
  hiddenSize: width!,
  intermediateSize: 3 * width!,
  headDim: width! / 8,
  maxPositions: length!,
};
const tokenizerJson = readFileSync(new URL('../../runs/assets/toy-tokenizer.json', import.meta.url), 'utf8');
const threads = { decodeThreads: 1, trainThreads: 2, spin: false };
const engine = new LocalEngine({ executionProvider: 'cpu', ...threads, maxBatch: 4, maxPrefillTokens: 512 });
const next = normals(1);
const parameters = initialParameters(config, (_, size) => Float32Array.from({ length: size }, next), 0.04);
await engine.loadPolicy({ version: 'v', config, tokenizerJson, parameters });
const ids = (count: number) => Int32Array.from({ length: count }, (_, i) => (7 * i) % config.vocabSize);
await engine.sft({
  baseVersion: 'v',
  newVersion: 'w',
  examples: [{ id: 'only', promptIds: ids(1), responseIds: ids(length! - 1) }],
  settings: {
    steps: 1,
    batchSize: 1,
    learningRate: 1e-4,
    finalLearningRate: 1e-4,
    schedule: 'constant',
    warmupSteps: 0,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
    maxTokensPerMicroBatch: 1e9,
    orderKey: 'o',
    recompute: recompute === 1,
  },
});
console.log(process.resourceUsage().maxRSS * 1024);
process.exit(0);
