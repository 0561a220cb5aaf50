/** One step again and again: whether its gradients are the same bits, and how long it takes. */
import { createHash } from 'node:crypto';
import type { Tensors } from '../../activities/runtime/engine/contract.ts';
import type { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { examplesOf, median, open, part, supervised } from './common.ts';
import type { Model, Provider } from './common.ts';
import { compareSteps, policyGradientOf } from './equality.ts';

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
  const varying = [...digests].filter(([, seen]) => seen.size > 1).map(([name]) => name);
  const most = Math.max(...[...digests.values()].map(({ size }) => size));
  return {
    steps: rounds,
    ms: median(times),
    tensors: digests.size,
    most,
    varying: varying.length,
    names: varying.slice(0, 20),
  };
}

/** Supervised and policy-gradient steps, of all weights and of an adapter. */
export async function repeats(model: Model, cpu: LocalEngine, device: Provider, rounds: number): Promise<void> {
  const { name } = model;
  const engine = await open(model, device);
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
