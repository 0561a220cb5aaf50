/** 16-bit linears on the card: how far from the processor's, how fast beside float32. */
import type { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { call, examplesOf, medianMs, open, part, rowsOf, stepMs, supervised } from './common.ts';
import type { Model, Provider } from './common.ts';
import { compareSamples, compareSteps, sampledBy, sampleRequests } from './equality.ts';

const newTokens = 64;

export async function rounded(model: Model, cpu: LocalEngine, device: Provider, rounds: number): Promise<void> {
  const { name } = model;
  const card = await open(model, device, 16);
  for (const weights of ['bfloat16', 'float16'] as const) {
    await part(`${name} sampling ${weights} ${device} against cpu`, async () => {
      const requests = sampleRequests(model, 32, weights);
      return compareSamples(await sampledBy(cpu, requests), await sampledBy(card, requests));
    });
    await part(`${name} sampling ${weights} against float32 on ${device}`, async () =>
      compareSamples(
        await sampledBy(card, sampleRequests(model, 32)),
        await sampledBy(card, sampleRequests(model, 32, weights)),
      ),
    );
  }
  for (const weights of ['float32', 'bfloat16', 'float16'] as const) {
    for (const batch of [1, 8, 64]) {
      const prompts = rowsOf(model, batch, 32, 11);
      await part(`${name} ${device} chunk 16 decode ${weights} batch ${batch}`, async () => {
        const ms = await medianMs(rounds, () =>
          sampledBy(
            card,
            prompts.map((p, i) => call(p, i, 0, newTokens, weights)),
          ),
        );
        return { tokensPerSecond: (1000 * batch * newTokens) / ms };
      });
    }
    const prompts = rowsOf(model, 16, 512, 12);
    await part(`${name} ${device} prefill 16x512 ${weights}`, async () => ({
      ms: await medianMs(rounds, () =>
        sampledBy(
          card,
          prompts.map((p, i) => call(p, i, 0, 1, weights)),
        ),
      ),
    }));
  }
  const examples = examplesOf(model);
  const settings = { ...supervised(model, 1, 1), precision: 'bfloat16' } as const;
  for (const baseVersion of ['v', 'lora']) {
    const request = (newVersion: string) => ({ baseVersion, newVersion: `${newVersion} ${baseVersion}`, examples });
    await part(`${name} bfloat16 step of ${baseVersion} ${device} against cpu`, async () =>
      compareSteps(
        await cpu.sft({ ...request('rounded'), settings }),
        await card.sft({ ...request('rounded'), settings }),
      ),
    );
    await part(`${name} bfloat16 step of ${baseVersion} against float32 on ${device}`, async () =>
      compareSteps(
        await card.sft({ ...request('plain'), settings: supervised(model, 1, 1) }),
        await card.sft({ ...request('again'), settings }),
      ),
    );
    for (const precision of ['float32', 'bfloat16'] as const)
      await part(`${name} ${device} training step of ${baseVersion} ${precision}`, async () => ({
        ms: await stepMs(card, model, rounds, baseVersion, { precision }),
      }));
  }
}
