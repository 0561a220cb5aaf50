/** Reverse mode as a whole: hand-computed derivatives, accumulation, and what it refuses. Rules: op-rules.test.ts. */
import { describe, expect, it } from 'vitest';
import { add, concat, exp, gemm, less, mul, slice, softmax, sum, targetScatter, where } from './build.ts';
import { evaluate } from './evaluate.ts';
import { gradient } from './gradient.ts';
import { Graph, neededNodes, type Value } from './graph.ts';
import { tensor } from './reference-tensor.ts';

const pair = () => {
  const graph = new Graph();
  return { graph, x: graph.input('x', 'float32', [2]), y: graph.input('y', 'float32', [2]) };
};
const feeds = { x: tensor([2], [2, -1]), y: tensor([2], [3, 5]) };
const numbers = (values: readonly Value[]) => evaluate(values, feeds).map(({ data }) => [...data]);

describe('gradient', () => {
  it('sums over all uses of a value', () => {
    const { x, y } = pair();
    // d/dx (x^2 y + x) = 2 x y + 1; d/dy = x^2.
    expect(numbers(gradient(sum(add(mul(mul(x, x), y), x)), [x, y]))).toEqual([
      [13, -9],
      [4, 1],
    ]);
  });

  it('is zero where the loss does not depend, and adds to where it starts', () => {
    const { graph, x, y } = pair();
    const start = graph.input('s', 'float32', [2]);
    expect(numbers(gradient(sum(x), [y]))).toEqual([[0, 0]]);
    const [g] = gradient(sum(mul(x, y)), [x], [start]);
    expect([...evaluate([g!], { ...feeds, s: tensor([2], [10, 20]) })[0]!.data]).toEqual([13, 25]);
  });

  it('flows to neither side of a comparison, and to the chosen side of a choice', () => {
    const { x, y } = pair();
    expect(numbers(gradient(sum(where(less(x, y), mul(x, 3), y)), [x, y]))).toEqual([
      [3, 3],
      [0, 0],
    ]);
  });

  it('lets products take what is accumulated as their addend', () => {
    const graph = new Graph();
    const [a, b, x] = ['a', 'b', 'x'].map((name) => graph.input(name, 'float32', [2, 2]));
    const [g] = gradient(sum(exp(add(gemm(x!, a!), gemm(x!, b!)))), [x!]);
    const products = neededNodes([g!]).filter(({ op }) => op === 'gemm');
    expect(products.map(({ inputs }) => inputs.length).sort()).toEqual([2, 2, 2, 3]);
  });

  it('refuses a loss that is no scalar', () => {
    const { x } = pair();
    expect(() => gradient(x, [x])).toThrow(/the loss has shape \[2\]; expected a scalar/);
  });

  it('refuses by name what has no rule', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 3]);
    const w = graph.input('w', 'float32', ['N', 3]);
    const [ids, g] = [graph.input('ids', 'int64', [2]), graph.input('g', 'float32', [2])];
    for (const [loss, of, message] of [
      [sum(targetScatter(softmax(x), ids, g)), x, /targetScatter \(node \d+\) has no gradient rule/],
      [sum(slice(w, 0, 0, 1)), w, /slice with an end on a symbolic axis/],
      [sum(concat([w, x], 0)), x, /concat after a symbolic part/],
    ] as const) {
      expect(() => gradient(loss, [of])).toThrow(
        expect.objectContaining({ name: 'UnsupportedOp', message: expect.stringMatching(message) }),
      );
    }
  });
});
