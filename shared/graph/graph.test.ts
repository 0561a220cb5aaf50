import { describe, expect, it } from 'vitest';
import { add, concat, constant, exp, full, gemm, integers, mul, reshape, scalar, slice, sum } from './build.ts';
import { evaluate } from './evaluate.ts';
import { Graph, neededNodes } from './graph.ts';
import { printGraph } from './print.ts';
import { tensor } from './reference-tensor.ts';

describe('a graph', () => {
  it('makes equal nodes once and keeps order', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', ['B', 2]);
    expect(exp(x)).toBe(exp(x));
    expect(exp(x)).not.toBe(exp(exp(x)));
    expect(scalar(graph, 2)).toBe(scalar(graph, 2));
    expect(mul(x, 2)).not.toBe(mul(x, 3));
    const y = add(exp(x), mul(x, 2));
    expect(graph.nodes.map(({ id }) => id)).toEqual(graph.nodes.map((_, i) => i));
    expect(neededNodes([y]).map(({ op }) => op)).toEqual(['input', 'exp', 'constant', 'mul', 'add']);
  });

  it('tells constants apart by their data', () => {
    const graph = new Graph();
    const data = Float32Array.from({ length: 20 }, (_, i) => i);
    expect(constant(graph, data, [20])).toBe(constant(graph, data, [20]));
    expect(constant(graph, data, [20])).not.toBe(constant(graph, data.slice(), [4, 5]));
    expect(integers(graph, [1, 2])).not.toBe(integers(graph, [1, 3]));
  });

  it('refuses a second input of one name', () => {
    const graph = new Graph();
    graph.input('x', 'float32', [1]);
    expect(() => graph.input('x', 'float32', [2])).toThrow(/input x is declared twice/);
  });

  it.each([
    ['gemm: got float32 [2, 3], float32 [2, 3]; expected equal inner dimensions', (g: Graph) => gemm(m(g), m(g))],
    ['reshape: got float32 [2, 3]; expected a shape of 6 entries', (g: Graph) => reshape(m(g), [5])],
    ['slice: got float32 [2, 3]; expected a range within the axis', (g: Graph) => slice(m(g), 1, 2, 4)],
    [
      'add: got float32 [2, 3], int64 [3]; expected operands of one dtype',
      (g: Graph) => add(m(g), integers(g, [1, 2, 3])),
    ],
    ['concat: got float32 [2, 3], float32 []; expected inputs alike', (g: Graph) => concat([m(g), scalar(g, 1)], 0)],
    ['sum: got float32 [2, 3]; expected axes from 0 to 1', (g: Graph) => sum(m(g), [2])],
  ])('refuses what does not fit: %s', (message, build) => {
    const graph = new Graph();
    expect(() => build(graph)).toThrow(
      expect.objectContaining({ name: 'ShapeMismatch', message: expect.stringContaining(message) }),
    );
  });
});

const m = (graph: Graph) => full(graph, [2, 3], 1);

describe('evaluation', () => {
  it('refuses feeds that are missing or of another shape', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', ['B', 2]);
    const y = graph.input('y', 'float32', ['B', 2]);
    const fed = tensor([1, 2], [1, 2]);
    expect(evaluate([add(x, y)], { x: fed, y: fed })[0]!.data).toEqual(Float64Array.of(2, 4));
    expect(() => evaluate([add(x, y)], { x: fed })).toThrow(/input y got nothing; expected \[B, 2\]/);
    expect(() => evaluate([add(x, y)], { x: fed, y: tensor([2, 2], [1, 2, 3, 4]) })).toThrow(/input y got \[2, 2\]/);
  });
});

it('prints one node a line', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['B', 2]);
  const w = constant(graph, Float32Array.of(1, 2, 3, 4), [2, 2]);
  expect(printGraph({ y: gemm(x, w, { transB: true }) })).toBe(
    [
      '%0 = input() {name: x} : [B, 2]',
      '%1 = constant() {data: [1, 2, 3, 4]} : [2, 2]',
      '%2 = gemm(%0, %1) {transA: false, transB: true, alpha: 1} : [B, 2]',
      'y = %2',
    ].join('\n'),
  );
});
