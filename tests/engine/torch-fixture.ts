/** Reads the PyTorch fixtures (tests/fixtures/torch/make.py) and measures distance from them. */
import { readFileSync } from 'node:fs';
import type { DecoderConfig } from '../../shared/model/config.ts';
import type { LossSpec } from '../../shared/model/interface.ts';

type Packed = Readonly<Record<string, string>>;
type PolicySettings = Omit<Extract<LossSpec, { type: 'policy' }>, 'type'>;

export interface DecoderFixture {
  readonly config: DecoderConfig;
  readonly batch: number;
  readonly length: number;
  readonly lengths: readonly number[];
  readonly inputIds: readonly number[];
  readonly targets: readonly number[];
  readonly weight: string;
  readonly advantage: string;
  readonly oldLogProb: string;
  readonly refLogProb: string;
  readonly parameters: Packed;
  /** [batch, length, vocab] */
  readonly logits: string;
  readonly logProb: string;
  readonly entropy: string;
  readonly sft: { readonly loss: number; readonly gradients: Packed };
  readonly policy: {
    readonly settings: PolicySettings;
    readonly loss: number;
    readonly ratio: number;
    readonly clipFraction: number;
    readonly kl: number;
    readonly referenceKl: number;
    readonly gradients: Packed;
  };
}

export interface AdamWFixture {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly settings: { beta1: number; beta2: number; eps: number; weightDecay: number; maxGradNorm: number };
  readonly start: Packed;
  readonly steps: readonly { learningRate: number; gradNorm: number; gradients: Packed; parameters: Packed }[];
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/torch/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** float32 from base64. */
export function unpack(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

export function unpackAll(packed: Packed): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(packed).map(([name, text]) => [name, unpack(text)]));
}

/** Largest error over the largest expected magnitude. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new RangeError(`${actual.length} values; expected ${expected.length}`);
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i += 1) {
    error = Math.max(error, Math.abs(actual[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
    if (!Number.isFinite(actual[i]!)) return Infinity;
  }
  return error / size;
}
