/** Small models of the architectures that the benchmark's own sizes are not: biases, scaled rotation, a head of its own. */
import { initialParameters } from '../../shared/model/parameters.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import { normals } from '../engine/draws.ts';
import { sizes } from '../engine/sizes.ts';
import type { Model } from './common.ts';

const small = { ...sizes.S, numLayers: 3, qkNorm: false } as const;

const configs: Readonly<Record<string, DecoderConfig>> = {
  qwen2: { ...small, architecture: 'qwen2', attentionBias: true, ropeTheta: 1e6 },
  llama3: {
    ...small,
    architecture: 'llama',
    tieEmbeddings: false,
    ropeTheta: 5e5,
    ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 256 },
  },
  'llama with biases': { ...small, architecture: 'llama', attentionBias: true, outputBias: true },
};

export function architectureModels(tokenizerJson: string, threads: number): Model[] {
  return Object.entries(configs).map(([name, config]) => {
    const next = normals(2);
    const weights = initialParameters(config, (_, length) => Float32Array.from({ length }, next), 0.04);
    // Biases begin as zeros, which would show nothing.
    for (const [tensor, values] of weights)
      if (tensor.endsWith('.bias'))
        weights.set(
          tensor,
          values.map(() => 0.1 * next()),
        );
    return { name, config, weights, tokenizerJson, threads, step: { rows: 8, length: 128 } };
  });
}
