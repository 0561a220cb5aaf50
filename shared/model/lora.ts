/**
 * Low-rank adapters (Hu et al. 2021, "LoRA"): a linear y = W x becomes y = W x + scale * B (A x), with A [rank, in] and
 * B [out, rank] learned and W left as it is. Names, scale and initial draw are those of PEFT. Dropout is 0. This file says
 * what an adapter is; decoder.ts puts it into the graphs.
 */
import { DomainError } from '../errors.ts';
import type { DecoderConfig } from './config.ts';
import { parameterShapes } from './parameters.ts';

export interface LoraSpec {
  readonly rank: number;
  readonly alpha: number;
  /** Last names of the adapted linears; every layer has its own. */
  readonly targets: readonly LoraTarget[];
  /** Scale alpha / sqrt(rank) (Kalajdzievski 2023, "rsLoRA") in place of alpha / rank. */
  readonly rankStabilised?: boolean;
}

export const loraTargets = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
  'lm_head',
] as const;
export type LoraTarget = (typeof loraTargets)[number];

export const loraScale = ({ rank, alpha, rankStabilised = false }: LoraSpec): number =>
  alpha / (rankStabilised ? Math.sqrt(rank) : rank);

export const isSameLora = (a: LoraSpec, b: LoraSpec): boolean =>
  a.rank === b.rank && loraScale(a) === loraScale(b) && [...a.targets].sort().join() === [...b.targets].sort().join();

/** The tensors of one adapted linear. */
export const loraNames = (module: string) => ({ a: `${module}.lora_A.weight`, b: `${module}.lora_B.weight` });

/** Whether a tensor of this name is an adapter's. */
export const isAdapter = (name: string): boolean => /\.lora_[AB]\.weight$/.test(name);

/** Returns `lora` if the decoder can have it; throws `InvalidConfig` naming the first bad field. */
export function checkLora(config: DecoderConfig, lora: LoraSpec): LoraSpec {
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new DomainError(
      'InvalidConfig',
      `LoRA: ${field} is ${JSON.stringify(value)}; expected ${expected}. Correct policy.lora or the adapter_config.json.`,
      { field, value, expected },
    );
  };
  if (!Number.isSafeInteger(lora.rank) || lora.rank < 1) refuse('rank', lora.rank, 'a positive integer');
  if (!(lora.alpha > 0 && Number.isFinite(lora.alpha))) refuse('alpha', lora.alpha, 'a positive number');
  if (lora.targets.length === 0) refuse('targets', [], `some of ${loraTargets.join(', ')}`);
  for (const target of lora.targets) {
    if (!loraTargets.includes(target)) refuse('targets', target, `some of ${loraTargets.join(', ')}`);
    if (target === 'lm_head' && config.tieEmbeddings) refuse('targets', target, 'a head of its own (this one is tied)');
  }
  if (new Set(lora.targets).size < lora.targets.length) refuse('targets', lora.targets, 'each name once');
  return lora;
}

/** The adapted linears in the decoder's order, with the shapes [out, in] of their weights. */
export function adaptedLinears(config: DecoderConfig, lora: LoraSpec): ReadonlyMap<string, readonly [number, number]> {
  checkLora(config, lora);
  const linears = new Map<string, readonly [number, number]>();
  for (const [name, shape] of parameterShapes(config)) {
    const module = name.replace(/\.weight$/, '');
    const last = module.slice(module.lastIndexOf('.') + 1) as LoraTarget;
    if (module !== name && lora.targets.includes(last)) linears.set(module, shape as [number, number]);
  }
  return linears;
}

/** Every adapter tensor's name and shape, A before B. */
export function adapterShapes(config: DecoderConfig, lora: LoraSpec): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [module, [out, width]] of adaptedLinears(config, lora)) {
    const { a, b } = loraNames(module);
    shapes.set(a, [lora.rank, width]);
    shapes.set(b, [out, lora.rank]);
  }
  return shapes;
}

/**
 * A fresh adapter, which changes nothing yet: B is 0, and A has the variance 1 / (3 in) of PEFT's draw. `draw(name, length)`
 * returns `length` independent standard normals.
 */
export function initialAdapter(
  config: DecoderConfig,
  lora: LoraSpec,
  draw: (name: string, length: number) => ArrayLike<number>,
): Map<string, Float32Array> {
  const adapter = new Map<string, Float32Array>();
  for (const [name, [rows, width]] of adapterShapes(config, lora) as ReadonlyMap<string, readonly [number, number]>) {
    const deviation = 1 / Math.sqrt(3 * width);
    const isA = name.endsWith('.lora_A.weight');
    const values = isA
      ? Float32Array.from(draw(name, rows * width), (normal) => normal * deviation)
      : new Float32Array(rows * width);
    adapter.set(name, values);
  }
  return adapter;
}

/** W + scale * B A, written over `weight` [out, in]. */
export function mergeLinear(
  weight: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { rank, scale }: { rank: number; scale: number },
): void {
  const width = a.length / rank;
  const row = new Float64Array(width);
  for (let out = 0; out < b.length / rank; out++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = b[out * rank + r]!;
      for (let i = 0; i < width; i++) row[i]! += factor * a[r * width + i]!;
    }
    for (let i = 0; i < width; i++) weight[out * width + i]! += scale * row[i]!;
  }
}
