/**
 * Greedy decoding and prefill against transformers' `generate` in float32, one thread each, in alternating rounds; ours with the
 * weights as they are, or in 8 bits as `rollout.weights: 'int8'` has them.
 */
import { alternate, median, type Contestant, type Timing } from './contestant.ts';
import type { Row } from './report.ts';
import { tokenRows, weightBytes, type SizeName } from './sizes.ts';

type Generated = Timing & { tokens: number[][] };

const promptLength = 32;
const newTokens: Record<SizeName, number> = { S: 64, M: 32 };
const batches = [1, 8, 32, 64];

interface Settings {
  folder: string;
  size: SizeName;
  rounds: number;
  /** Bytes a second. */
  bandwidth: number;
  weights: 'float32' | 'int8';
}

interface Turn {
  prefill: Generated;
  whole: Generated;
}

export async function decoding(
  ours: Contestant,
  rival: Contestant | undefined,
  { folder, size, rounds, bandwidth, weights }: Settings,
): Promise<Row[]> {
  const what = weights === 'float32' ? size : `${size}, ${weights} weights:`;
  await ours.ask({ op: 'open', folder, size, threads: 1, weights });
  await rival?.ask({ op: 'open', folder, threads: 1 });
  const report: Row[] = [];
  for (const batch of batches) {
    const results = await alternate<Turn>([ours, ...(rival ? [rival] : [])], rounds, async (contestant, round) => {
      const prompts = tokenRows(size, batch, promptLength, 20 + round);
      const generate = (count: number) => contestant.ask<Generated>({ op: 'generate', prompts, newTokens: count });
      return { prefill: await generate(1), whole: await generate(newTokens[size]) };
    });
    const own = results.get(ours.name)!;
    const decodeMs = ({ prefill, whole }: Turn) => whole.ms - prefill.ms;
    const speed = (turns: readonly Turn[]) => (batch * (newTokens[size] - 1)) / (median(turns.map(decodeMs)) / 1000);
    if (batch === 1 && weights === 'float32') {
      const bytes = weightBytes(size) * (newTokens[size] - 1);
      const rate = bytes / (median(own.map(decodeMs)) / 1000);
      report.push({
        figure: `${size} decode, batch 1: GB/s of weights read against measured bandwidth`,
        ours: (rate / 1e9).toFixed(1),
        rival: (bandwidth / 1e9).toFixed(1),
        ratio: rate / bandwidth,
        goal: size === 'M' ? '≥ 0.7' : '',
      });
    }
    const theirs = rival && results.get(rival.name)!;
    const equal = theirs?.filter(
      ({ whole }, round) => JSON.stringify(whole.tokens) === JSON.stringify(own[round]!.whole.tokens),
    );
    const same = equal ? ` (same greedy tokens in ${equal.length} of ${rounds} rounds)` : '';
    const ratio = (msOf: (turn: Turn) => number) =>
      theirs ? median(theirs.map((turn, round) => msOf(turn) / msOf(own[round]!))) : null;
    const prefillMs = ({ prefill }: Turn) => prefill.ms;
    const prefillText = (turns?: readonly Turn[]) => (turns ? `${median(turns.map(prefillMs)).toFixed(1)} ms` : '–');
    report.push(
      {
        figure: `${what} decode, batch ${batch}, tokens/s after prefill${same}`,
        ours: speed(own).toFixed(0),
        rival: theirs ? speed(theirs).toFixed(0) : '–',
        ratio: ratio(decodeMs),
        goal: batch < 32 ? '≥ 3' : '≥ 2',
      },
      {
        figure: `${what} prefill, batch ${batch} x ${promptLength}`,
        ours: prefillText(own),
        rival: prefillText(theirs),
        ratio: ratio(prefillMs),
        goal: '≥ 1.2',
      },
    );
  }
  return report;
}
