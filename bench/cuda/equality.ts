/** Results on the card against the processor's: sampled tokens, log-probs, gradients. */
import type { GenerateRequest, Tensors } from '../../activities/runtime/engine/contract.ts';
import type { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import type { Precision } from '../../shared/model/interface.ts';
import { normals } from '../engine/draws.ts';
import { call, examplesOf, open, part, rowsOf, supervised } from './common.ts';
import type { Model, Provider } from './common.ts';

export type Sampled = Awaited<ReturnType<LocalEngine['generate']>>;

/** Calls with the same tokens, and the largest gap of a log-prob up to the first token that differs. */
export function compareSamples(a: readonly Sampled[], b: readonly Sampled[]) {
  let [equal, gap, same, all] = [0, 0, 0, 0];
  a.forEach(({ tokenIds, logProbs }, i) => {
    const other = b[i]!;
    const differs = tokenIds.findIndex((id, t) => id !== other.tokenIds[t]);
    const shared = differs < 0 ? tokenIds.length : differs;
    equal += Number(differs < 0);
    same += shared;
    all += tokenIds.length;
    for (let t = 0; t < shared; t++) gap = Math.max(gap, Math.abs(logProbs[t]! - other.logProbs[t]!));
  });
  return { calls: a.length, equalCalls: equal, sameTokens: `${same} of ${all}`, largestLogProbGap: gap };
}

/** A quarter of the calls each with a top-k, a top-p and a min-p; a fifth is greedy. */
export function sampleRequests(model: Model, tokens: number, weights: Precision = 'float32'): GenerateRequest[] {
  const variants = [{}, { topK: 20 }, { topP: 0.9 }, { minP: 0.05 }];
  return rowsOf(model, 16, 40, 5).map((prompt, i) => {
    const request = call(prompt, i, i % 5 === 4 ? 0 : 1, tokens, weights);
    return { ...request, sampling: { ...request.sampling, ...variants[i % 4] } };
  });
}

export const sampledBy = (engine: LocalEngine, requests: readonly GenerateRequest[]) =>
  Promise.all(requests.map((request) => engine.generate(request)));

/** Sequences whose ratios lie on both sides of the clip, with advantages of both signs, a KL term and an entropy bonus. */
export async function policyGradientOf(model: Model, engine: LocalEngine) {
  const examples = examplesOf(model);
  const logProbs = await engine.logProbs({ version: 'v', sequences: examples });
  const next = normals(19);
  const near = (values: Float32Array, deviation: number) =>
    values.map((value) => Math.min(0, value + deviation * next()));
  const sequences = examples.map((example, i) => ({
    ...example,
    advantage: next(),
    oldLogProbs: near(logProbs[i]!, 0.2),
    referenceLogProbs: near(logProbs[i]!, 0.2),
  }));
  const { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, maxTokensPerMicroBatch, orderKey } =
    supervised(model, 1, 1);
  const adam = { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, maxTokensPerMicroBatch, orderKey };
  const clipped = { clipLow: 0.2, clipHigh: 0.28, klCoef: 0.01, entropyCoef: 0.01, epochs: 1, miniBatches: 1 };
  return { sequences, settings: { ...adam, ...clipped } };
}

interface Stepped {
  optimizer: { m: Tensors };
  metrics: { loss: number; gradNorm: number };
}

/** After one step m is 0.1 times the clipped gradient. */
export function compareSteps(a: Stepped, b: Stepped) {
  let worst = 0;
  for (const [name, m] of a.optimizer.m) {
    const other = b.optimizer.m.get(name)!;
    let [gap, largest] = [0, 0];
    for (let i = 0; i < m.length; i++) {
      gap = Math.max(gap, Math.abs(m[i]! - other[i]!));
      largest = Math.max(largest, Math.abs(m[i]!));
    }
    if (largest > 0) worst = Math.max(worst, gap / largest);
  }
  const { metrics } = a;
  return {
    worstGradient: worst,
    loss: [metrics.loss, b.metrics.loss],
    gradNorm: [metrics.gradNorm, b.metrics.gradNorm],
  };
}

export async function equality(model: Model, cpu: LocalEngine, device: Provider): Promise<void> {
  const { name } = model;
  const single = await open(model, device, 1);
  const chunked = await open(model, device, 16);
  const requests = sampleRequests(model, 48);
  const sampled = await sampledBy(cpu, requests);
  for (const [way, engine] of Object.entries({ single, chunked })) {
    await part(`${name} sampling ${device} ${way} against cpu`, async () =>
      compareSamples(sampled, await sampledBy(engine, requests)),
    );
  }
  await part(`${name} 8 calls of one prompt ${device} against cpu`, async () => {
    const [prompt] = rowsOf(model, 1, 200, 8);
    const shared = Array.from({ length: 8 }, (_, i) => call(prompt!, i, 1, 32));
    const [a, b] = await Promise.all([cpu, chunked].map((engine) => sampledBy(engine, shared)));
    return { ...compareSamples(a!, b!), sharedPrefillTokens: (await chunked.stats()).sharedPrefillTokens };
  });
  const examples = examplesOf(model);
  await part(`${name} log-probs ${device} against cpu`, async () => {
    const [a, b] = await Promise.all(
      [cpu, single].map((engine) => engine.logProbs({ version: 'v', sequences: examples })),
    );
    return { largestGap: Math.max(...a!.map((row, i) => Math.max(...row.map((x, t) => Math.abs(x - b![i]![t]!))))) };
  });
  for (const baseVersion of ['v', 'lora']) {
    await part(`${name} step of ${baseVersion} ${device} against cpu`, async () => {
      const settings = supervised(model, 1, 1);
      const request = { baseVersion, newVersion: `next ${baseVersion}`, examples, settings };
      return compareSteps(await cpu.sft(request), await single.sft(request));
    });
    await part(`${name} policy-gradient step of ${baseVersion} ${device} against cpu`, async () => {
      const request = { baseVersion, newVersion: `learned ${baseVersion}`, ...(await policyGradientOf(model, cpu)) };
      return compareSteps(await cpu.update(request), await single.update(request));
    });
  }
}
