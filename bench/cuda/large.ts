/** A model whose weights are more than protobuf's 2 GiB: 0.57e9 parameters, 2.3 GB in float32. */
import { initialParameters } from '../../shared/model/parameters.ts';
import { uniforms } from '../engine/draws.ts';
import { call, examplesOf, medianMs, open, part, rowsOf, stepMs, supervised } from './common.ts';
import type { Model, Provider } from './common.ts';
import { compareSamples, compareSteps, sampledBy } from './equality.ts';

export function largeModel(tokenizerJson: string, threads: number, numLayers = 11): Model {
  const config = {
    architecture: 'qwen3',
    vocabSize: 8192,
    hiddenSize: 2048,
    intermediateSize: 6144,
    numLayers,
    numHeads: 16,
    numKvHeads: 8,
    headDim: 128,
    ropeTheta: 10_000,
    rmsNormEps: 1e-6,
    tieEmbeddings: true,
    maxPositions: 1024,
    attentionBias: false,
    qkNorm: true,
  } as const;
  const next = uniforms(1);
  // Uniform numbers of deviation 1 in a plain loop: 0.57e9 of them are to be drawn.
  const draw = (_: string, length: number) => {
    const values = new Float32Array(length);
    for (let i = 0; i < length; i++) values[i] = 3.4641 * (next() - 0.5);
    return values;
  };
  const weights = initialParameters(config, draw, 0.02);
  return { name: 'L', config, weights, tokenizerJson, threads, step: { rows: 4, length: 128 } };
}

export async function large(model: Model, device: Provider, rounds: number): Promise<void> {
  const { name } = model;
  const bytes = [...model.weights.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const card = await open(model, device, 16, false);
  const requests = rowsOf(model, 4, 40, 5).map((prompt, i) => call(prompt, i, 1, 16));
  await part(`${name} ${device} first samples`, async () => {
    await sampledBy(card, requests);
    return { weightBytes: bytes };
  });
  for (const [weights, batch] of [
    ['float32', 1],
    ['float32', 64],
    ['bfloat16', 64],
  ] as const)
    await part(`${name} ${device} chunk 16 decode ${weights} batch ${batch}`, async () => {
      const prompts = rowsOf(model, batch, 32, 11);
      const ms = await medianMs(rounds, () =>
        sampledBy(
          card,
          prompts.map((p, i) => call(p, i, 0, 32, weights)),
        ),
      );
      return { tokensPerSecond: (1000 * batch * 32) / ms };
    });
  for (const baseVersion of ['lora', 'v'])
    await part(`${name} ${device} training step of ${baseVersion}`, async () => ({
      ms: await stepMs(card, model, rounds, baseVersion),
    }));
  const cpu = await open(model, 'cpu', 1, false);
  await part(`${name} sampling ${device} against cpu`, async () =>
    compareSamples(await sampledBy(cpu, requests), await sampledBy(card, requests)),
  );
  const examples = examplesOf(model);
  for (const baseVersion of ['lora', 'v'])
    await part(`${name} step of ${baseVersion} ${device} against cpu`, async () => {
      const request = { baseVersion, newVersion: `next ${baseVersion}`, examples, settings: supervised(model, 1, 1) };
      return compareSteps(await cpu.sft(request), await card.sft(request));
    });
}
