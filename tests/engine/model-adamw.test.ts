import { expect, test } from 'vitest';
import { buildAdamWGraph } from '../../shared/model/adamw-graph.ts';
import { openGraph } from './onnx-run.ts';
import { readFixture, relativeError, unpackAll, type AdamWFixture } from './torch-fixture.ts';

const fixture = readFixture<AdamWFixture>('adamw');
const shapes = new Map(Object.entries(fixture.shapes));
const prefixed = (prefix: string, tensors: Record<string, Float32Array>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, values]) => [prefix + name, values]));

test('twenty clipped steps follow torch.optim.AdamW, the vector without decay', async () => {
  const { settings, steps } = fixture;
  const runner = await openGraph(buildAdamWGraph(shapes, settings));
  let parameters: Record<string, Float32Array> = unpackAll(fixture.start);
  let m: Record<string, Float32Array> = Object.fromEntries(
    [...shapes].map(([name]) => [name, new Float32Array(parameters[name]!.length)]),
  );
  let v = m;
  expect(steps.length).toBe(20);
  expect(steps.filter((step) => step.gradNorm > settings.maxGradNorm).length).toBeGreaterThan(5);
  for (const [i, step] of steps.entries()) {
    const result = await runner.run(
      {
        ...parameters,
        ...prefixed('m.', m),
        ...prefixed('v.', v),
        ...prefixed('grad.', unpackAll(step.gradients)),
        learning_rate: [step.learningRate],
        bias_correction1: [1 - settings.beta1 ** (i + 1)],
        bias_correction2: [1 - settings.beta2 ** (i + 1)],
      },
      {},
    );
    expect(relativeError(result['grad_norm']!, [step.gradNorm])).toBeLessThan(1e-6);
    const take = (prefix: string) =>
      Object.fromEntries([...shapes.keys()].map((name) => [name, Float32Array.from(result[`next.${prefix}${name}`]!)]));
    [parameters, m, v] = [take(''), take('m.'), take('v.')];
    for (const [name, wanted] of Object.entries(unpackAll(step.parameters))) {
      expect(relativeError(parameters[name]!, wanted), `${name} after step ${i + 1}`).toBeLessThan(1e-6);
    }
  }
  await runner.close();
});
