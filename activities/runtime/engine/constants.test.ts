/** A tensor that is too large for a constant stays an input, and the graph computes the same. */
import { expect, test } from 'vitest';
import { initialParameters } from '../../../shared/model/parameters.ts';
import { buildPrefillGraph } from '../../../shared/model/prefill-graph.ts';
import { fillNormal } from '../../../shared/random.ts';
import { openGraph } from '../../../tests/engine/onnx-run.ts';
import { tinyDecoder } from '../../../tests/engine/tiny-decoder.ts';
import { asConstants } from './constants.ts';

test.each(['float32', 'bfloat16', 'int8'] as const)('%s', async (precision) => {
  const config = tinyDecoder(32);
  const draw = (name: string, length: number) => fillNormal(`constants/${name}`, new Float32Array(length), 1);
  const logitsOf = async (largest?: number) => {
    const parameters = initialParameters(config, draw, 0.2);
    const weights = asConstants(config, parameters, precision, largest);
    const graph = buildPrefillGraph(config, { weights, precision });
    const runner = await openGraph(graph);
    const feeds = { ...Object.fromEntries(parameters), input_ids: [3, 1, 4, 1, 5, 9], last: [2, 5] };
    const { logits } = await runner.run(feeds, { B: 1, T: 6, L: 2 });
    await runner.close();
    return { logits, inputs: graph.inputs.map(({ name }) => name) };
  };
  const all = await logitsOf();
  // One byte less than the matrices of the feed-forward layers have in float32.
  const most = await logitsOf(4 * 160 * 64 - 1);
  expect(all.inputs.includes('model.embed_tokens.weight')).toBe(precision === 'int8');
  const tooLarge = ['gate', 'up', 'down'].flatMap((name) =>
    [0, 1].map((layer) => `model.layers.${layer}.mlp.${name}_proj.weight`),
  );
  const rest = most.inputs.filter((name) => !all.inputs.includes(name)).sort();
  expect(rest).toEqual(precision === 'float32' ? tooLarge.sort() : []);
  expect(most.logits).toEqual(all.logits);
});
