/**
 * Optimizer steps, each on the exact gradient of one mini-batch: summed over length-bucketed micro-batches. Knows neither
 * where the mini-batches come from nor their order.
 */
import { DomainError, isDomainError } from '../../../shared/errors.ts';
import type { LossSpec } from '../../../shared/model/interface.ts';
import type {
  GradientShare,
  MicroBatchGradient,
  RequestControl,
  TrainingPrecision,
  TrainingSequence,
  TrainMetrics,
} from './contract.ts';
import type { GradientSettings } from './graphs.ts';
import { packBatch, planMicroBatches, responseView } from './micro-batches.ts';
import type { MicroBatch, Packable, PackedBatch } from './micro-batches.ts';
import type { TrainingState } from './optimizer.ts';
import { sequenceFeeds } from './sequence-feeds.ts';
import { floatTensor, floatsOf } from './session.ts';
import type { Feeds } from './session.ts';
import { TrainingTally } from './training-tally.ts';

type Example = Packable & { id: string };

/** Feeds of a loss beyond those of every loss. */
type ExtraFeeds = (batch: MicroBatch, packed: PackedBatch) => Feeds;

export interface LoopSettings {
  maxTokensPerMicroBatch: number;
  recompute?: boolean;
  precision?: TrainingPrecision;
  /** A sampled log-prob further from the recomputed one counts as drifted. */
  logProbGapLimit?: number;
}

export class TrainingLoop {
  readonly state: TrainingState;
  steps = 0;
  private readonly loss: LossSpec;
  private readonly control: RequestControl;
  private readonly startedMs = performance.now();
  private readonly lossByStep: number[] = [];
  private readonly gradNorms: number[] = [];
  private readonly gapLimit: number;
  private readonly settings: GradientSettings;
  private tally = new TrainingTally();
  private maxTokens: number;
  private hasHalved = false;

  constructor(state: TrainingState, loss: LossSpec, settings: LoopSettings, control: RequestControl) {
    this.state = state;
    this.loss = loss;
    this.maxTokens = settings.maxTokensPerMicroBatch;
    const { recompute = false, precision = 'float32' } = settings;
    this.settings = { recompute, precision };
    this.gapLimit = settings.logProbGapLimit ?? Infinity;
    this.control = control;
  }

  /** Gradients of one mini-batch, then one optimizer step; returns the loss. Throws `NonFiniteLoss` naming the sequences. */
  async step(
    examples: readonly Example[],
    extraFeeds: ExtraFeeds,
    optimize: (state: TrainingState) => Promise<number>,
  ): Promise<number> {
    const { loss, tally } = await this.gradients(examples, extraFeeds);
    const number = this.lossByStep.length + 1;
    checkFinite('loss', loss, number, examples);
    const gradNorm = await optimize(this.state);
    checkFinite('gradient norm', gradNorm, number, examples);
    this.tally = this.tally.plus(tally);
    this.gradNorms.push(gradNorm);
    this.lossByStep.push(loss);
    this.control.onProgress?.({ step: this.lossByStep.length, steps: this.steps, loss });
    return loss;
  }

  metrics(): TrainMetrics {
    return {
      ...this.tally.means(this.loss),
      gradNorm: this.gradNorms.reduce((sum, norm) => sum + norm, 0) / this.gradNorms.length,
      steps: this.lossByStep.length,
      lossByStep: this.lossByStep,
      memoryHalvings: this.hasHalved ? 1 : 0,
      durationMs: performance.now() - this.startedMs,
    };
  }

  /** Memory that runs out is met once in a training, by micro-batches of half the size, from the mini-batch's beginning. */
  private async gradients(examples: readonly Example[], extraFeeds: ExtraFeeds) {
    try {
      return await this.sumOfMicroBatches(examples, extraFeeds);
    } catch (error) {
      if (this.hasHalved || !(isDomainError(error) && error.name === 'DeviceOutOfMemory')) throw error;
      const half = Math.floor(this.maxTokens / 2);
      process.emitWarning(
        `${error.message} Going on with micro-batches of ${half} instead of ${this.maxTokens} tokens`,
      );
      this.maxTokens = half;
      this.hasHalved = true;
      return await this.sumOfMicroBatches(examples, extraFeeds);
    }
  }

  private async sumOfMicroBatches(examples: readonly Example[], extraFeeds: ExtraFeeds) {
    const tokens = tokensOf(examples);
    let tally = new TrainingTally();
    this.state.clearGradients();
    let loss = 0;
    for (const batch of planMicroBatches(examples, this.maxTokens)) {
      const added = await this.addMicroBatch(examples, batch, tokens, extraFeeds);
      loss += added.loss;
      tally = tally.plus(added.tally);
    }
    tally.sums.loss += loss * tokens;
    return { loss, tally };
  }

  /**
   * The gradients of a share of a mini-batch's micro-batches, each by itself: added up in the order of the micro-batches they
   * are the bits that a step has.
   */
  async gradientsOf(
    examples: readonly Example[],
    extraFeeds: ExtraFeeds,
    { index, of }: GradientShare,
  ): Promise<MicroBatchGradient[]> {
    const tokens = tokensOf(examples);
    const batches = planMicroBatches(examples, this.maxTokens);
    const [from, to] = [index, index + 1].map((place) => Math.round((place * batches.length) / of));
    const made: MicroBatchGradient[] = [];
    for (const batch of batches.slice(from, to)) {
      this.state.clearGradients();
      const { loss, tally } = await this.addMicroBatch(examples, batch, tokens, extraFeeds);
      made.push({ gradients: this.state.gradientCopies(), loss, tally: tally.numbers });
      this.control.onProgress?.({ step: made.length, steps: to! - from!, loss });
    }
    return made;
  }

  private async addMicroBatch(
    examples: readonly Example[],
    batch: MicroBatch,
    tokens: number,
    extraFeeds: ExtraFeeds,
  ): Promise<{ loss: number; tally: TrainingTally }> {
    this.control.signal?.throwIfAborted();
    const packed = packBatch(examples, batch);
    const outputs = await this.run(batch, packed, tokens, extraFeeds);
    const tally = new TrainingTally();
    this.count(tally, examples, { batch, packed, outputs, tokens });
    // Between graph runs, messages (new calls, cancellation) get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    return { loss: floatsOf(outputs.loss!)[0]!, tally };
  }

  /** Adds one micro-batch's gradients; `tokens` are those of the whole mini-batch. */
  private async run(batch: MicroBatch, packed: PackedBatch, tokens: number, extraFeeds: ExtraFeeds): Promise<Feeds> {
    const scored = packed.targets.length;
    const { graphs, frozen } = this.state;
    const session = await graphs.gradient(this.loss, { width: batch.width, scored }, this.settings, frozen);
    const { feeds, fetches } = this.state.accumulation();
    return session.run(
      {
        ...this.state.feeds,
        ...feeds,
        ...sequenceFeeds(batch, packed),
        ...extraFeeds(batch, packed),
        weight: floatTensor(new Float32Array(scored).fill(1 / tokens), [scored]),
      },
      fetches,
    );
  }

  private count(
    tally: TrainingTally,
    examples: readonly Example[],
    { batch, packed, outputs, tokens }: { batch: MicroBatch; packed: PackedBatch; outputs: Feeds; tokens: number },
  ): void {
    const inputs = batch.rows.map((index) => examples[index]!);
    tally.addCells(
      batch.rows.length * batch.width,
      inputs.reduce((sum, { promptIds, responseIds }) => sum + promptIds.length + responseIds.length - 1, 0),
    );
    tally.addTokens(floatsOf(outputs.entropy!));
    if (this.loss.type !== 'policy') return;
    tally.addPolicy((name) => (outputs[name] === undefined ? 0 : floatsOf(outputs[name])[0]! * tokens));
    if (this.lossByStep.length > 0) return;
    const logProbs = floatsOf(outputs.log_prob!);
    inputs.forEach((example, row) => {
      const { oldLogProbs } = example as TrainingSequence;
      tally.addGaps(oldLogProbs, responseView(packed, row, logProbs), this.gapLimit);
    });
  }
}

/** Response tokens of a mini-batch. */
export const tokensOf = (examples: readonly Packable[]) =>
  examples.reduce((sum, { responseIds }) => sum + responseIds.length, 0);

/** `step` counts from 1. Throws `NonFiniteLoss` naming the sequences. */
export function checkFinite(what: string, value: number, step: number, examples: readonly { id: string }[]): void {
  if (Number.isFinite(value)) return;
  const ids = examples.map(({ id }) => id);
  throw new DomainError(
    'NonFiniteLoss',
    `the ${what} of step ${step} is ${value}; sequences: ${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', ...' : ''}. Lower the learning rate`,
    { what, ids },
  );
}
