/** The optimizer as a graph: AdamW after clipping by global norm. Formula and interface: interface.ts, AdamWOptions. */
import { DomainError } from '../errors.ts';
import { add, div, minimum, mul, scalar, sqrt, sub, sum } from '../graph/build.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { AdamWOptions, BuiltGraph } from './interface.ts';

export function buildAdamWGraph(shapes: ReadonlyMap<string, readonly number[]>, options: AdamWOptions): BuiltGraph {
  checkOptions(shapes, options);
  const { maxGradNorm, decays = (_, shape) => shape.length > 1 } = options;
  const graph = new Graph();
  const scalarInput = (name: string) => graph.input(name, 'float32', []);
  const rates: Rates = {
    learningRate: scalarInput('learning_rate'),
    bias1: scalarInput('bias_correction1'),
    bias2: scalarInput('bias_correction2'),
  };
  const slots = [...shapes].map(([name, shape]): Slot => {
    const [parameter, m, v, g] = ['', 'm.', 'v.', 'grad.'].map((kind) =>
      graph.input(`${kind}${name}`, 'float32', shape),
    );
    return { name, parameter: parameter!, m: m!, v: v!, g: g!, decay: decays(name, shape) ? options.weightDecay : 0 };
  });
  const norm = sqrt(slots.map(({ g }) => sum(mul(g, g))).reduce((a, b) => add(a, b)));
  // 1e-6 as in torch.nn.utils.clip_grad_norm_. Every update hangs on the norm, so it runs after all gradients are read.
  const scale = maxGradNorm === null ? scalar(graph, 1) : minimum(div(maxGradNorm, add(norm, 1e-6)), 1);
  const factors = { ...factorsOf(rates, options), scale };
  const outputs: Record<string, Value> = { grad_norm: norm };
  for (const slot of slots) {
    const next = adamW(slot, factors, options);
    outputs[`next.${slot.name}`] = next.parameter;
    outputs[`next.m.${slot.name}`] = next.m;
    outputs[`next.v.${slot.name}`] = next.v;
  }
  return finish(graph.inputs, outputs);
}

interface Slot {
  readonly name: string;
  readonly parameter: Value;
  readonly m: Value;
  readonly v: Value;
  readonly g: Value;
  readonly decay: number;
}

interface Rates {
  readonly learningRate: Value;
  readonly bias1: Value;
  readonly bias2: Value;
}

/** Scalars, put together so that every tensor is passed over as few times as can be. */
interface Factors {
  readonly learningRate: Value;
  /** Of the gradient, by clipping. */
  readonly scale: Value;
  /** Of m / (sqrt(v) + eps): learningRate * sqrt(bias2) / bias1. */
  readonly step: Value;
  /** eps * sqrt(bias2). */
  readonly eps: Value;
}

function factorsOf({ learningRate, bias1, bias2 }: Rates, { eps }: AdamWOptions): Omit<Factors, 'scale'> {
  const root = sqrt(bias2);
  return { learningRate, step: div(mul(learningRate, root), bias1), eps: mul(root, eps) };
}

function adamW({ g, ...slot }: Slot, { learningRate, scale, step, eps }: Factors, { beta1, beta2 }: AdamWOptions) {
  const m = add(mul(slot.m, beta1), mul(g, mul(scale, 1 - beta1)));
  // Not g * g first: ONNX Runtime would keep the norm's own for it.
  const v = add(mul(slot.v, beta2), mul(mul(g, mul(mul(scale, scale), 1 - beta2)), g));
  const kept = slot.decay === 0 ? slot.parameter : mul(slot.parameter, sub(1, mul(learningRate, slot.decay)));
  return { m, v, parameter: sub(kept, div(mul(m, step), add(sqrt(v), eps))) };
}

function checkOptions(shapes: ReadonlyMap<string, readonly number[]>, options: AdamWOptions): void {
  const { beta1, beta2, eps, weightDecay, maxGradNorm } = options;
  const rules: [string, unknown, boolean, string][] = [
    ['shapes', `${shapes.size} parameters`, shapes.size > 0, 'at least one parameter'],
    ['beta1', beta1, beta1 >= 0 && beta1 < 1, 'a number from 0 to below 1'],
    ['beta2', beta2, beta2 >= 0 && beta2 < 1, 'a number from 0 to below 1'],
    ['eps', eps, eps > 0, 'a positive number'],
    ['weightDecay', weightDecay, weightDecay >= 0, 'a number of at least 0'],
    ['maxGradNorm', maxGradNorm, maxGradNorm === null || maxGradNorm > 0, 'a positive number or null'],
  ];
  for (const [field, value, valid, expected] of rules) {
    if (!valid)
      throw new DomainError('InvalidInput', `AdamW: ${field} is ${String(value)}; expected ${expected}.`, { field });
  }
}
