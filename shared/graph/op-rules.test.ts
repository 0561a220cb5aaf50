/**
 * Shape and gradient rules of every op over random shapes and numbers: what a shape rule says is what the reference
 * arithmetic makes, and what a gradient rule says is what central differences of the reference arithmetic give.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildCase, type OpCase } from '../../tests/helpers/graph/op-case.ts';
import { opCases, opNames } from '../../tests/helpers/graph/op-cases.ts';
import { relativeError } from '../../tests/helpers/graph/tensor-error.ts';
import { add, full, mul, sum } from './build.ts';
import { resolveDim } from './dims.ts';
import { evaluate } from './evaluate.ts';
import { gradient } from './gradient.ts';
import { gradientRules } from './gradient-rules.ts';
import type { Value } from './graph.ts';
import { generate, type Tensor } from './reference-tensor.ts';
import { createStream } from '../random.ts';

const runs = { numRuns: 40, seed: 4 };
const largest = 4;

/** The sizes that a case gives to names. */
const bindingsOf = ({ inputs }: OpCase) =>
  new Map(
    inputs.flatMap(({ axes }) => axes.flatMap(({ name, size }) => (name === null ? [] : [[name, size] as const]))),
  );

describe.each(opNames)('%s', (op) => {
  it('has the shape that its rule says', () => {
    fc.assert(
      fc.property(opCases[op](largest), (drawn) => {
        const { values, outputs, feeds } = buildCase(drawn);
        const results = evaluate([...outputs, ...values], feeds);
        outputs.forEach(({ shape }, i) => {
          expect(results[i]!.shape).toEqual(shape.map((dim) => resolveDim(dim, bindingsOf(drawn))));
          expect(results[i]!.data.length).toBe(results[i]!.shape.reduce((a, b) => a * b, 1));
        });
      }),
      runs,
    );
  });

  // What rounds is a flight of steps; shared/graph/half.test.ts has its gradient.
  it.skipIf(op === 'halfGemm')('has the gradient that central differences give', () => {
    let checked = 0;
    fc.assert(
      fc.property(opCases[op](largest), fc.nat(), (drawn, seed) => {
        checked += checkGradient(drawn, seed);
      }),
      runs,
    );
    const flows = gradientRules[op] !== 'none' && gradientRules[op] !== 'unsupported';
    if (flows) expect(checked).toBeGreaterThan(0);
  });
});

/** Compares every entry of every gradient; returns how many gradients there were. */
function checkGradient(drawn: OpCase, seed: number): number {
  const { graph, values, feeds, outputs } = buildCase(drawn);
  const active = values.filter((value, i) => value.dtype === 'float32' && !drawn.fixed?.includes(i));
  const smooth = outputs.filter(({ dtype }) => dtype === 'float32');
  if (
    active.length === 0 ||
    smooth.length === 0 ||
    outputs.some(({ node }) => gradientRules[node.op] === 'unsupported')
  )
    return 0;
  // A random weighting of all outputs, so that one scalar shows every entry.
  const weights = smooth.map(({ shape }, i) => graph.input(`w${i}`, 'float32', shape));
  const weighted = smooth.map((output, i) => sum(mul(output, weights[i]!)));
  const loss = weighted.reduce<Value>((a, b) => add(a, b), full(graph, [], 0));
  const bindings = bindingsOf(drawn);
  weights.forEach(({ shape }, i) => {
    const stream = createStream(`weights-${seed}/${i}`);
    let entry = 0;
    feeds[`w${i}`] = generate(
      shape.map((dim) => resolveDim(dim, bindings)),
      () => stream.uniform((entry += 1)) * 2 - 1,
    );
  });
  const lossAt = (name: string, index: number, step: number): number => {
    const moved = feeds[name]!.data.slice();
    moved[index]! += step;
    return evaluate([loss, ...values], { ...feeds, [name]: { ...feeds[name]!, data: moved } })[0]!.data[0]!;
  };
  const gradients = gradient(loss, active);
  const results = evaluate([...gradients, ...values], feeds);
  active.forEach((value, i) => {
    expect(gradients[i]!.shape).toEqual(value.shape);
    const name = `x${values.indexOf(value)}`;
    expect(
      relativeError(
        results[i]!.data,
        differences(feeds[name]!, (k, h) => lossAt(name, k, h)),
        0.1,
      ),
    ).toBeLessThan(1e-7);
  });
  return active.length;
}

const step = 1e-4;
/** Fourth-order central differences. */
const differences = (x: Tensor, lossAt: (index: number, h: number) => number): Float64Array =>
  x.data.map((_, k) => {
    const difference = (h: number) => (lossAt(k, h) - lossAt(k, -h)) / (2 * h);
    return (4 * difference(step) - difference(2 * step)) / 3;
  });
