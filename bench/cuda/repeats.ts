/** One step again and again: whether its gradients are the same bits, and how long it takes. */
import { createHash } from 'node:crypto';
import type { Tensors } from '../../activities/runtime/engine/contract.ts';
import type { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { examplesOf, median, open, part, supervised } from './common.ts';
import type { Model, Provider } from './common.ts';
import { compareSamples, compareSteps, policyGradientOf, sampledBy, sampleRequests } from './equality.ts';
import type { Sampled } from './equality.ts';

const digestOf = (tensor: Float32Array) => createHash('sha256').update(tensor).digest('hex');

/** Without clipping, or one gradient that differs would show in all. */
const unclipped = { maxGradNorm: 0 };

async function repeatsOf(rounds: number, step: (round: number) => Promise<{ optimizer: { m: Tensors } }>) {
  const digests = new Map<string, Set<string>>();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { optimizer } = await step(round);
    times.push(performance.now() - started);
    for (const [name, m] of optimizer.m) digests.set(name, (digests.get(name) ?? new Set()).add(digestOf(m)));
  }
  const together = createHash('sha256');
  for (const seen of digests.values()) together.update([...seen].join());
  const varying = [...digests].filter(([, seen]) => seen.size > 1).map(([name]) => name);
  const most = Math.max(...[...digests.values()].map(({ size }) => size));
  return {
    steps: rounds,
    digest: together.digest('hex').slice(0, 16),
    ms: median(times),
    tensors: digests.size,
    most,
    varying: varying.length,
    names: varying.slice(0, 20),
  };
}

/** Calls of `b` that have the very tokens and log-probs that they have in `a`. */
const equalBits = (a: readonly Sampled[], b: readonly Sampled[]) =>
  a.filter(({ tokenIds, logProbs }, i) => {
    const other = b[i]!;
    return (
      Buffer.from(tokenIds.buffer).equals(Buffer.from(other.tokenIds.buffer)) &&
      Buffer.from(logProbs.buffer).equals(Buffer.from(other.logProbs.buffer))
    );
  }).length;

/** The same calls twice together, and each alone. */
async function samplingAgain(model: Model, engine: LocalEngine) {
  const requests = sampleRequests(model, 32);
  const together = await sampledBy(engine, requests);
  const again = await sampledBy(engine, requests);
  const alone: Sampled[] = [];
  for (const request of requests) alone.push(await engine.generate(request));
  const { equalCalls, largestLogProbGap } = compareSamples(together, alone);
  return {
    calls: requests.length,
    equalBitsAgain: equalBits(together, again),
    equalBitsAlone: equalBits(together, alone),
    equalTokensAlone: equalCalls,
    largestLogProbGapAlone: largestLogProbGap,
  };
}

/** Supervised and policy-gradient steps, of all weights and of an adapter. */
export async function repeats(model: Model, cpu: LocalEngine, device: Provider, rounds: number): Promise<void> {
  const { name } = model;
  const engine = await open(model, device);
  await part(`${name} sampling ${device} again and alone`, () => samplingAgain(model, engine));
  for (const baseVersion of ['v', 'lora']) {
    const supervisedStep = (on: LocalEngine, round: number) =>
      on.sft({
        baseVersion,
        newVersion: `again ${baseVersion} ${round}`,
        examples: examplesOf(model),
        settings: { ...supervised(model, 1, 1), ...unclipped },
      });
    // The first run of a session chooses kernels and allocates.
    await part(`${name} first step of ${baseVersion} ${device} against cpu`, async () =>
      compareSteps(await supervisedStep(cpu, -1), await supervisedStep(engine, -1)),
    );
    await part(`${name} step of ${baseVersion} ${device} again`, () =>
      repeatsOf(rounds, async (round) => {
        const result = await supervisedStep(engine, round);
        await engine.unloadPolicy(`again ${baseVersion} ${round}`);
        return result;
      }),
    );
    if (baseVersion === 'v')
      await part(`${name} step of v in bfloat16 ${device} again`, () =>
        repeatsOf(rounds, async (round) => {
          const newVersion = `rounded ${round}`;
          const settings = { ...supervised(model, 1, 1), ...unclipped, precision: 'bfloat16' as const };
          const result = await engine.sft({ baseVersion, newVersion, examples: examplesOf(model), settings });
          await engine.unloadPolicy(newVersion);
          return result;
        }),
      );
    await part(`${name} policy-gradient step of ${baseVersion} ${device} again`, async () => {
      const { sequences, settings } = await policyGradientOf(model, cpu);
      return repeatsOf(rounds, async (round) => {
        const newVersion = `learned ${baseVersion} ${round}`;
        const result = await engine.update({
          baseVersion,
          newVersion,
          sequences,
          settings: { ...settings, ...unclipped },
        });
        await engine.unloadPolicy(newVersion);
        return result;
      });
    });
  }
}
