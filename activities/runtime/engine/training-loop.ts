/**
 * Optimizer steps, each on the exact gradient of one mini-batch: summed over length-bucketed micro-batches. Knows neither
 * where the mini-batches come from nor their order.
 */
import { DomainError, isDomainError } from '../../../shared/errors.ts';
import type { LossSpec } from '../../../shared/model/interface.ts';
import type { SequenceShape } from '../../../shared/model/pieces.ts';
import type {
  GradientShare,
  MicroBatchGradient,
  RequestControl,
  TrainingPrecision,
  TrainingSequence,
  TrainMetrics,
} from './contract.ts';
import type { GradientSettings } from './graphs.ts';
import { partOutputs, wholeFeeds } from './mini-batch.ts';
import { packBatch, piecesOf, planMicroBatches, responseView } from './micro-batches.ts';
import type { MicroBatch, Packable, PackedBatch } from './micro-batches.ts';
import type { TrainingState } from './optimizer.ts';
import { sequenceFeeds } from './sequence-feeds.ts';
import { floatTensor, floatsOf } from './session.ts';
import type { Feeds } from './session.ts';
import { TrainingTally } from './training-tally.ts';

type Example = Packable & { id: string };

/** Feeds of a loss beyond those of every loss. */
type ExtraFeeds = (batch: MicroBatch, packed: PackedBatch) => Feeds;

/** A micro-batch with its graph inputs. */
interface Part {
  batch: MicroBatch;
  packed: PackedBatch;
  feeds: Feeds;
  shape: SequenceShape;
}

/** What a micro-batch adds beside its gradients. */
interface Counted {
  loss: number;
  tally: TrainingTally;
}

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

  private gradients(examples: readonly Example[], extraFeeds: ExtraFeeds) {
    return this.halvingOnce(() => this.sumOfMicroBatches(examples, extraFeeds));
  }

  /** Memory that runs out is met once in a training: `work` begins anew with micro-batches of half the size, and so does what follows. */
  private async halvingOnce<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.hasHalved || !(isDomainError(error) && error.name === 'DeviceOutOfMemory')) throw error;
      const half = Math.floor(this.maxTokens / 2);
      process.emitWarning(
        `${error.message} Going on with micro-batches of ${half} instead of ${this.maxTokens} tokens`,
      );
      this.maxTokens = half;
      this.hasHalved = true;
      return await work();
    }
  }

  private async sumOfMicroBatches(examples: readonly Example[], extraFeeds: ExtraFeeds) {
    const tokens = tokensOf(examples);
    this.state.clearGradients();
    const batches = planMicroBatches(examples, this.maxTokens);
    const added = this.state.graphs.wholeMiniBatches
      ? await this.addMiniBatch(examples, batches, tokens, extraFeeds)
      : this.addMicroBatches(examples, batches, tokens, extraFeeds);
    const sum = await sumOf(added);
    sum.tally.sums.loss += sum.loss * tokens;
    return sum;
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
      const { loss, tally } = await this.halvingOnce(() => this.sumOfPieces(examples, batch, tokens, extraFeeds));
      const counted = { loss, tally: tally.numbers, halved: this.hasHalved };
      made.push({ gradients: this.state.gradientCopies(), ...counted });
      this.control.onProgress?.({ step: made.length, steps: to! - from!, loss });
    }
    return made;
  }

  /** One micro-batch, in pieces where they have become smaller than it was planned. */
  private async sumOfPieces(
    examples: readonly Example[],
    batch: MicroBatch,
    tokens: number,
    extraFeeds: ExtraFeeds,
  ): Promise<Counted> {
    this.state.clearGradients();
    const pieces = piecesOf(examples, batch, this.maxTokens);
    return sumOf(this.addMicroBatches(examples, pieces, tokens, extraFeeds));
  }

  private async *addMicroBatches(
    examples: readonly Example[],
    batches: readonly MicroBatch[],
    tokens: number,
    extraFeeds: ExtraFeeds,
  ): AsyncGenerator<Counted> {
    for (const batch of batches) yield await this.addMicroBatch(examples, batch, tokens, extraFeeds);
  }

  private async addMicroBatch(
    examples: readonly Example[],
    batch: MicroBatch,
    tokens: number,
    extraFeeds: ExtraFeeds,
  ): Promise<Counted> {
    this.control.signal?.throwIfAborted();
    const part = this.partOf(examples, batch, tokens, extraFeeds);
    const { graphs, frozen } = this.state;
    const session = await graphs.gradient(this.loss, part.shape, this.settings, frozen);
    const { feeds, fetches } = this.state.accumulation();
    const outputs = await session.run({ ...this.state.feeds, ...feeds, ...part.feeds }, fetches);
    const counted = this.count(examples, part, outputs, tokens);
    // Between graph runs, messages (new calls, cancellation) get their turn.
    await new Promise((resolve) => setImmediate(resolve));
    return counted;
  }

  /** All in one graph run: the gradients' sum takes the place of what was there. */
  private async addMiniBatch(
    examples: readonly Example[],
    batches: readonly MicroBatch[],
    tokens: number,
    extraFeeds: ExtraFeeds,
  ): Promise<Counted[]> {
    this.control.signal?.throwIfAborted();
    const parts = batches.map((batch) => this.partOf(examples, batch, tokens, extraFeeds));
    const { graphs, frozen } = this.state;
    const shapes = parts.map(({ shape }) => shape);
    const session = await graphs.miniBatch(this.loss, shapes, this.settings, frozen);
    const given = parts.map(({ feeds }) => feeds);
    const outputs = await session.run({ ...this.state.feeds, ...wholeFeeds(given) }, this.state.accumulation().fetches);
    await new Promise((resolve) => setImmediate(resolve));
    return partOutputs(given, outputs).map((own, i) => this.count(examples, parts[i]!, own, tokens));
  }

  /** One micro-batch as a graph takes it; `tokens` are those of the whole mini-batch. */
  private partOf(examples: readonly Example[], batch: MicroBatch, tokens: number, extraFeeds: ExtraFeeds): Part {
    const packed = packBatch(examples, batch);
    const scored = packed.targets.length;
    const weight = floatTensor(new Float32Array(scored).fill(1 / tokens), [scored]);
    const feeds = { ...sequenceFeeds(batch, packed), ...extraFeeds(batch, packed), weight };
    return { batch, packed, feeds, shape: { width: batch.width, scored } };
  }

  private count(examples: readonly Example[], { batch, packed }: Part, outputs: Feeds, tokens: number): Counted {
    const tally = new TrainingTally();
    const loss = floatsOf(outputs.loss!)[0]!;
    const inputs = batch.rows.map((index) => examples[index]!);
    tally.addCells(
      batch.rows.length * batch.width,
      inputs.reduce((sum, { promptIds, responseIds }) => sum + promptIds.length + responseIds.length - 1, 0),
    );
    tally.addTokens(floatsOf(outputs.entropy!));
    if (this.loss.type !== 'policy') return { loss, tally };
    tally.addPolicy((name) => (outputs[name] === undefined ? 0 : floatsOf(outputs[name])[0]! * tokens));
    if (this.lossByStep.length > 0) return { loss, tally };
    const logProbs = floatsOf(outputs.log_prob!);
    inputs.forEach((example, row) => {
      const { oldLogProbs } = example as TrainingSequence;
      tally.addGaps(oldLogProbs, responseView(packed, row, logProbs), this.gapLimit);
    });
    return { loss, tally };
  }
}

async function sumOf(parts: Iterable<Counted> | AsyncIterable<Counted>): Promise<Counted> {
  let sum: Counted = { loss: 0, tally: new TrainingTally() };
  for await (const { loss, tally } of parts) sum = { loss: sum.loss + loss, tally: sum.tally.plus(tally) };
  return sum;
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
