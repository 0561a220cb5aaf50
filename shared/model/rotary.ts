/**
 * Rotary position tables (Su et al. 2021), with the frequency scaling of Llama 3.1 (as `_compute_llama3_parameters`
 * of Hugging Face transformers). Pairs entry i with i + headDim / 2.
 */
import type { DecoderConfig } from './config.ts';

/** Radians a position, for each of the headDim / 2 pairs. */
export function rotaryFrequencies(config: DecoderConfig): number[] {
  const { headDim, ropeTheta, ropeScaling } = config;
  return Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = ropeTheta ** ((-2 * i) / headDim);
    if (!ropeScaling) return frequency;
    const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
    // Turns within the original context decide: few turns are slowed by `factor`, many stay, between is interpolated.
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    const blend = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
    return blend * frequency + ((1 - blend) * frequency) / factor;
  });
}

/** cos and sin of position * frequency, each [maxPositions, headDim / 2]. */
export function rotaryTables(config: DecoderConfig): { cos: Float32Array; sin: Float32Array } {
  const frequencies = rotaryFrequencies(config);
  const length = config.maxPositions * frequencies.length;
  const angle = (i: number) => Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!;
  return {
    cos: Float32Array.from({ length }, (_, i) => Math.cos(angle(i))),
    sin: Float32Array.from({ length }, (_, i) => Math.sin(angle(i))),
  };
}
