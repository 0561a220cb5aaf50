/** One full training step against PyTorch, eager and compiled, in alternating rounds; peak memory; share of the peak. */
import { alternate, median, type Contestant, type Timing } from './contestant.ts';
import type { Row } from './report.ts';
import { tokenRows, trainingBatches, trainingFlops, type SizeName } from './sizes.ts';

const threads = 2;

export async function training(
  ours: Contestant,
  rivals: readonly Contestant[],
  { folder, size, rounds, peakFlops }: { folder: string; size: SizeName; rounds: number; peakFlops: number },
): Promise<Row[]> {
  const { rows, length } = trainingBatches[size];
  await ours.ask({ op: 'open', folder, size, threads });
  for (const rival of rivals) await rival.ask({ op: 'open', folder, threads, compile: rival.name.includes('compile') });
  const results = await alternate([ours, ...rivals], rounds, (contestant, round) =>
    contestant.ask<Timing & { loss: number }>({ op: 'train', rows: tokenRows(size, rows, length + 1, 10 + round) }),
  );
  const own = results.get(ours.name)!;
  const ownMs = median(own.map(({ ms }) => ms));
  const least = Math.min(...own.map(({ ms }) => ms));
  const report: Row[] = [
    {
      figure: `${size} ${rows}x${length} training step: GFLOP/s (best round ${(trainingFlops(size) / least / 1e6).toFixed(0)}) against the measured peak`,
      ours: (trainingFlops(size) / ownMs / 1e6).toFixed(0),
      rival: (peakFlops / 1e9).toFixed(0),
      ratio: trainingFlops(size) / (ownMs / 1000) / peakFlops,
      goal: size === 'M' ? '≥ 0.75' : '',
    },
  ];
  for (const rival of rivals) {
    const theirs = results.get(rival.name)!;
    theirs.forEach(({ loss }, round) => {
      // The same arithmetic from the same weights: a different loss is a different job.
      if (Math.abs(loss - own[round]!.loss) > 1e-3)
        throw new Error(`${rival.name} has loss ${loss}, ours ${own[round]!.loss}`);
    });
    const cpu = median(theirs.map(({ cpuMs }, round) => cpuMs / own[round]!.cpuMs));
    report.push(
      {
        figure: `${size} ${rows}x${length} training step, ${threads} threads, against ${rival.name} (CPU time: ${cpu.toFixed(2)}; minima: ${least.toFixed(0)} and ${Math.min(...theirs.map(({ ms }) => ms)).toFixed(0)} ms)`,
        ours: `${ownMs.toFixed(0)} ms`,
        rival: `${median(theirs.map(({ ms }) => ms)).toFixed(0)} ms`,
        ratio: median(theirs.map(({ ms }, round) => ms / own[round]!.ms)),
        goal: rival.name.includes('compile') ? '≥ 1.05' : '≥ 1.3',
      },
      {
        figure: `${size} peak memory of that step against ${rival.name}`,
        ours: `${own.at(-1)!.peakMb.toFixed(0)} MB`,
        rival: `${theirs.at(-1)!.peakMb.toFixed(0)} MB`,
        ratio: own.at(-1)!.peakMb / theirs.at(-1)!.peakMb,
        goal: '≤ 0.8',
      },
    );
  }
  return report;
}
