/** What one training step takes of memory: tensors by their count, the run by the lives of its tensors (graph/memory.ts). */
import { peakMemory } from '../graph/memory.ts';
import type { DecoderConfig } from './config.ts';
import { gradientValues } from './gradient-graph.ts';
import { adapterShapes, type LoraSpec } from './lora.ts';
import { parameterCount } from './parameters.ts';
import { piecesFor, widthMultiple } from './pieces.ts';

/** All in bytes. */
export interface MemoryPlan {
  /** The weights as they are. */
  weights: number;
  /** What is learned, with its gradients and both moments. */
  training: number;
  /** Activations and temporaries of the largest micro-batch, at most. */
  run: number;
  total: number;
  /** What of it stands on a card where the run is on one: weights, the run, and two sets of gradients while it adds one up. */
  card: number;
}

/** Node, ONNX Runtime and the written graphs, measured on Linux with a step of 64 tokens. */
const program = 165e6;

/** One micro-batch of `rows` sequences of `length` tokens, each token a target; float32. */
export function planMemory(
  config: DecoderConfig,
  {
    rows,
    length,
    recompute,
    lora = null,
  }: { rows: number; length: number; recompute: boolean; lora?: LoraSpec | null },
): MemoryPlan {
  const multiple = widthMultiple(length);
  const width = multiple * Math.ceil((length - 1) / multiple);
  const scored = rows * (length - 1);
  const pieces = piecesFor(config, { width, scored });
  const loss = { type: 'policy', clipLow: 0.2, clipHigh: 0.2, klCoef: 0, entropyCoef: 0 } as const;
  const { outputs } = gradientValues(config, { ...pieces, loss, lora, recompute, accumulate: true });
  const dims = new Map([
    ['B', rows],
    ['T', width],
    ['N', scored],
  ]);
  const run = peakMemory(Object.values(outputs), dims);
  const weights = 4 * parameterCount(config);
  const learned = lora === null ? weights : 4 * countOf(config, lora);
  const training = 4 * learned;
  const card = weights + (lora === null ? 0 : learned) + 2 * learned + run;
  return { weights, training, run, total: program + weights + training + run, card };
}

const countOf = (config: DecoderConfig, lora: LoraSpec): number =>
  [...adapterShapes(config, lora).values()].reduce((sum, [rows, width]) => sum + rows! * width!, 0);
