/** Sums over the response tokens of some micro-batches, and the means that a training reports. */
import type { LossSpec } from '../../../shared/model/interface.ts';
import type { TallyNumbers, TrainMetrics } from './contract.ts';

const noSums = {
  tokens: 0,
  loss: 0,
  entropy: 0,
  ratio: 0,
  clipFraction: 0,
  kl: 0,
  referenceKl: 0,
  drifted: 0,
  cells: 0,
  usedCells: 0,
};

export class TrainingTally {
  readonly sums = { ...noSums };
  private maxLogProbGap = 0;

  /** Everything that is counted, as plain numbers. */
  get numbers(): TallyNumbers {
    return { ...this.sums, maxLogProbGap: this.maxLogProbGap };
  }

  static of({ maxLogProbGap, ...sums }: TallyNumbers): TrainingTally {
    const tally = new TrainingTally();
    Object.assign(tally.sums, sums);
    tally.maxLogProbGap = maxLogProbGap!;
    return tally;
  }

  addTokens(entropies: Float32Array): void {
    this.sums.tokens += entropies.length;
    for (const value of entropies) this.sums.entropy += value;
  }

  /** `sumOf` gives a policy graph's output by name as a sum over tokens. */
  addPolicy(sumOf: (output: string) => number): void {
    this.sums.ratio += sumOf('ratio');
    this.sums.clipFraction += sumOf('clip_fraction');
    this.sums.kl += sumOf('kl');
    this.sums.referenceKl += sumOf('reference_kl');
  }

  /** Old against recomputed log-probs of the tokens of one response. */
  addGaps(old: Float32Array, recomputed: Float32Array, limit: number): void {
    recomputed.forEach((value, token) => {
      const gap = Math.abs(value - old[token]!);
      this.maxLogProbGap = Math.max(this.maxLogProbGap, gap);
      if (gap > limit) this.sums.drifted += 1;
    });
  }

  /** Of one graph run: all cells, and those that held a token. */
  addCells(cells: number, used: number): void {
    this.sums.cells += cells;
    this.sums.usedCells += used;
  }

  plus(other: TrainingTally): TrainingTally {
    const total = new TrainingTally();
    for (const name of Object.keys(noSums) as (keyof typeof noSums)[]) {
      total.sums[name] = this.sums[name] + other.sums[name];
    }
    total.maxLogProbGap = Math.max(this.maxLogProbGap, other.maxLogProbGap);
    return total;
  }

  means(loss: LossSpec): Omit<TrainMetrics, 'gradNorm' | 'steps' | 'lossByStep' | 'memoryHalvings' | 'durationMs'> {
    const { tokens, ...sums } = this.sums;
    return {
      loss: sums.loss / tokens,
      clipFraction: sums.clipFraction / tokens,
      meanRatio: loss.type === 'policy' ? sums.ratio / tokens : 1,
      entropy: sums.entropy / tokens,
      approxKl: sums.kl / tokens,
      referenceKl: sums.referenceKl / tokens,
      maxLogProbGap: this.maxLogProbGap,
      driftedTokens: sums.drifted,
      driftAlarm: sums.drifted > 0 ? 1 : 0,
      tokens,
      padding: 1 - sums.usedCells / sums.cells,
    };
  }
}
