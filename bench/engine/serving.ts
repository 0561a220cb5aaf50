/** Benchmarks of serving: continuous batching, prefix reuse, policy refresh. Ours only; the rival is a simpler schedule. */
import { median, type Contestant, type Timing } from './contestant.ts';
import { uniforms } from './draws.ts';
import type { Row } from './report.ts';
import { tokenRows, type SizeName } from './sizes.ts';

export interface ArrivingCall {
  atMs: number;
  prompt: number[];
  /** Response length. */
  tokens: number;
}

const slots = 16;

/** 64 calls with responses of 8 to 256 tokens, arriving within a second. */
function arrivals(size: SizeName): ArrivingCall[] {
  const next = uniforms(5);
  const prompts = tokenRows(size, 64, 32, 6);
  const calls = prompts.map((prompt) => ({
    atMs: 1000 * next(),
    prompt,
    tokens: 8 + Math.floor(next() * 249),
  }));
  return calls.sort((a, b) => a.atMs - b.atMs);
}

export async function serving(ours: () => Contestant, folder: string, size: SizeName, rounds: number): Promise<Row[]> {
  const contestant = ours();
  await contestant.ask({ op: 'open', folder, size, threads: 1, maxBatch: slots });
  const calls = arrivals(size);
  const continuous: Timing[] = [];
  const lockstep: Timing[] = [];
  const [one, shared, separate]: Timing[][] = [[], [], []];
  const refresh: Timing[] = [];
  for (let round = -1; round < rounds; round++) {
    const keep = (list: Timing[], timing: Timing) => round >= 0 && list.push(timing);
    keep(continuous, await contestant.ask<Timing>({ op: 'serve', calls, group: 0 }));
    keep(lockstep, await contestant.ask<Timing>({ op: 'serve', calls, group: slots }));
    const prompts = tokenRows(size, 6, 512, 100 + round);
    const prefill = (chosen: number[][]) => contestant.ask<Timing>({ op: 'generate', prompts: chosen, newTokens: 1 });
    keep(one!, await prefill(prompts.slice(0, 1)));
    keep(shared!, await prefill(Array.from({ length: 4 }, () => prompts[1]!)));
    keep(separate!, await prefill(prompts.slice(2)));
    keep(refresh, await contestant.ask<Timing>({ op: 'refresh' }));
  }
  await contestant.stop();
  const ms = (list: readonly Timing[]) => median(list.map((timing) => timing.ms));
  const ratio = (a: readonly Timing[], b: readonly Timing[]) => median(a.map(({ ms }, i) => ms / b[i]!.ms));
  return [
    {
      figure: `${size}: 64 calls of 8-256 tokens, ${slots} slots, continuous against lock-step`,
      ours: `${ms(continuous).toFixed(0)} ms`,
      rival: `${ms(lockstep).toFixed(0)} ms`,
      ratio: ratio(lockstep, continuous),
      goal: '≥ 1.5',
    },
    {
      figure: `${size}: prefill of 4 samples of one 512-token prompt against one (4 separate prompts: ${ms(separate!).toFixed(0)} ms)`,
      ours: `${ms(shared!).toFixed(0)} ms`,
      rival: `${ms(one!).toFixed(0)} ms`,
      ratio: ratio(shared!, one!),
      goal: '≤ 1.3',
    },
    {
      figure: `${size}: policy refresh, new version to first token`,
      ours: `${ms(refresh).toFixed(0)} ms`,
      rival: '',
      ratio: ms(refresh) / 1000,
      goal: '≤ 1 s',
    },
  ];
}
