/**
 * One random use of one op: inputs with numbers, and how the op is applied to them. Shapes mix numbers and names, so
 * that every rule meets both. Numbers are float32 values on a grid that keeps clear of kinks.
 */
import fc from 'fast-check';
import type { Dim, Shape } from '../../../shared/graph/dims.ts';
import { Graph, type Value } from '../../../shared/graph/graph.ts';
import type { DType, OpAttributes, OpName } from '../../../shared/graph/ops.ts';
import { sizeOf, tensor, type Tensor } from '../../../shared/graph/reference-tensor.ts';
import { createStream } from '../../../shared/random.ts';

/** A dimension's size in this case, and its name where the graph is not told the size. */
export interface Axis {
  readonly size: number;
  readonly name: string | null;
}

export interface CaseInput {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
  readonly data: Float32Array | readonly number[];
}

export interface OpCase {
  readonly inputs: readonly CaseInput[];
  /** The outputs of the op under test. */
  readonly apply: (graph: Graph, inputs: readonly Value[]) => readonly Value[];
  /** Inputs that gradients are not taken of: probabilities that belong to logits, rotation tables. */
  readonly fixed?: readonly number[];
}

export const dimOf = ({ size, name }: Axis): Dim => name ?? size;
export const shapeOf = (axes: readonly Axis[]): Shape => axes.map(dimOf);
export const sizesOf = (axes: readonly Axis[]): number[] => axes.map(({ size }) => size);
export const one: Axis = { size: 1, name: null };
export const known = (size: number): Axis => ({ size, name: null });

/** The case as a graph, with what to feed it. */
export function buildCase({ inputs, apply }: OpCase) {
  const graph = new Graph();
  const values = inputs.map(({ dtype, axes }, i) => graph.input(`x${i}`, dtype, shapeOf(axes)));
  const feeds: Record<string, Tensor> = {};
  inputs.forEach(({ axes, data }, i) => (feeds[`x${i}`] = tensor(sizesOf(axes), data)));
  return { graph, values, feeds, outputs: apply(graph, values) };
}

export const apply =
  <K extends OpName>(op: K, attributes: OpAttributes[K]): OpCase['apply'] =>
  (graph, inputs) =>
    graph.apply(op, inputs, attributes);

/** Numbers for tensors, all from one seed. */
export class Draws {
  private count = 0;
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  private numbers(axes: readonly Axis[], draw: (uniform: number) => number): number[] {
    const stream = createStream(`case-${this.seed}/${(this.count += 1)}`);
    return Array.from({ length: sizeOf(sizesOf(axes)) }, (_, i) => draw(stream.uniform(i)));
  }

  /** Multiples of 1/16 in [low, high), moved by `offset`. */
  floats(axes: readonly Axis[], { low = -2, high = 2, offset = 0 } = {}): CaseInput {
    const data = this.numbers(axes, (u) => Math.floor((low + u * (high - low)) * 16) / 16 + offset);
    return { dtype: 'float32', axes, data: Float32Array.from(data) };
  }

  positive(axes: readonly Axis[]): CaseInput {
    return this.floats(axes, { low: 0.25, high: 3 });
  }

  ids(axes: readonly Axis[], bound: number): CaseInput {
    return { dtype: 'int64', axes, data: this.numbers(axes, (u) => Math.floor(u * bound)) };
  }

  /** From -127 to 127. */
  bytes(axes: readonly Axis[]): CaseInput {
    return { dtype: 'int8', axes, data: this.numbers(axes, (u) => Math.floor(u * 255) - 127) };
  }

  truths(axes: readonly Axis[]): CaseInput {
    return { dtype: 'bool', axes, data: this.numbers(axes, (u) => Math.floor(u * 2)) };
  }
}

/** A dimension, known or named. A named one may be asked for several times under one name. */
export const axis = (name: string, max: number, min = 1): fc.Arbitrary<Axis> =>
  fc.record({ size: fc.integer({ min, max }), name: fc.constantFrom(null, name) });

export const axes = (max: number, ranks: { min: number; max: number }): fc.Arbitrary<Axis[]> =>
  fc
    .integer(ranks)
    .chain((rank) => fc.tuple(...Array.from({ length: rank }, (_, i) => axis(`D${i}`, max))))
    .map((drawn) => [...drawn]);

export const draws: fc.Arbitrary<Draws> = fc.nat().map((seed) => new Draws(seed));

/** `count` shapes that broadcast to the drawn one: leading axes left out, others kept or 1. */
export const broadcast = (max: number, count: number): fc.Arbitrary<Axis[][]> =>
  axes(max, { min: 0, max: 3 }).chain((whole) =>
    fc.tuple(
      ...Array.from({ length: count }, () =>
        fc
          .record({
            from: fc.integer({ min: 0, max: whole.length }),
            kept: fc.tuple(...whole.map(() => fc.boolean())),
          })
          .map(({ from, kept }) => whole.map((dim, i) => (kept[i] ? dim : one)).slice(from)),
      ),
    ),
  );
