/** Decoding, prefill and training steps on one provider; and PyTorch's on the same card. */
import { fileURLToPath } from 'node:url';
import { startContestant } from '../engine/contestant.ts';
import { call, medianMs, open, part, rowsOf, stepMs } from './common.ts';
import type { Model, Provider } from './common.ts';
import { sampledBy } from './equality.ts';

const newTokens = 64;

export async function speed(model: Model, provider: Provider, chunk: number, rounds: number): Promise<void> {
  const engine = await open(model, provider, chunk);
  const label = `${model.name} ${provider} chunk ${chunk}`;
  for (const batch of [1, 8, 64]) {
    const prompts = rowsOf(model, batch, 32, 11);
    await part(`${label} decode batch ${batch}`, async () => {
      const ms = await medianMs(rounds, () =>
        sampledBy(
          engine,
          prompts.map((p, i) => call(p, i, 0, newTokens)),
        ),
      );
      return { tokensPerSecond: (1000 * batch * newTokens) / ms };
    });
  }
  if (chunk > 1) return;
  await part(`${label} prefill 16x512`, async () => {
    const prompts = rowsOf(model, 16, 512, 12);
    return {
      ms: await medianMs(rounds, () =>
        sampledBy(
          engine,
          prompts.map((p, i) => call(p, i, 0, 1)),
        ),
      ),
    };
  });
  for (const baseVersion of ['v', 'lora'])
    await part(`${label} training step of ${baseVersion}`, async () => ({
      ms: await stepMs(engine, model, rounds, baseVersion),
    }));
}

export async function reference(
  model: Model,
  folder: string,
  { python, device, rounds }: { python: string; device: Provider; rounds: number },
): Promise<void> {
  const { name, step, threads } = model;
  const script = fileURLToPath(new URL('../engine/reference.py', import.meta.url));
  const torch = startContestant('torch', python, [script]);
  await part(`${name} torch ${device}`, () => torch.ask({ op: 'open', folder, threads, device }));
  const generated = async (prompts: number[][], tokens: number) =>
    (await torch.ask<{ ms: number }>({ op: 'generate', prompts, newTokens: tokens })).ms;
  for (const batch of [1, 8, 64]) {
    const prompts = rowsOf(model, batch, 32, 11);
    await part(`${name} torch ${device} decode batch ${batch}`, async () => {
      await generated(prompts, newTokens);
      const ms = Math.min(await generated(prompts, newTokens), await generated(prompts, newTokens));
      return { tokensPerSecond: (1000 * batch * newTokens) / ms };
    });
  }
  await part(`${name} torch ${device} prefill 16x512`, async () => {
    const prompts = rowsOf(model, 16, 512, 12);
    return { ms: await medianMs(rounds, () => generated(prompts, 1)) };
  });
  await part(`${name} torch ${device} training step`, async () => {
    const rows = rowsOf(model, step.rows, step.length + 1, 7);
    return { ms: await medianMs(rounds, () => torch.ask({ op: 'train', rows })) };
  });
  await torch.stop();
}
