/**
 * Supervised and policy-gradient updates: mini-batches in a seeded order, exact gradient accumulation over
 * length-bucketed micro-batches, AdamW. The base version is only read; the same request gives the same bits.
 */
import { permutation } from '../../../shared/random.ts';
import { DomainError } from '../../../shared/errors.ts';
import type { LossSpec } from '../../../shared/model/interface.ts';
import type { RequestControl, SftRequest, TrainingSequence, TrainMetrics, UpdateRequest } from './contract.ts';
import { checkSequences, checkSft, checkUpdate } from './check-request.ts';
import { packIds, packResponses, planMicroBatches, responseView } from './micro-batches.ts';
import type { MicroBatch, Packable } from './micro-batches.ts';
import { TrainingState } from './optimizer.ts';
import type { Resident } from './resident.ts';
import { floatTensor, floatsOf, intTensor } from './session.ts';
import type { Feeds } from './session.ts';

type Example = Packable & { id: string };

export interface Trained {
  state: TrainingState;
  metrics: TrainMetrics;
}

/** Clipped policy gradient, token mean over each mini-batch. */
export async function update(
  base: Resident,
  { sequences, settings }: UpdateRequest,
  control: RequestControl,
): Promise<Trained> {
  checkUpdate(settings, sequences);
  checkSequences(sequences, base.graphs.config);
  const { clipLow, clipHigh, klCoef, entropyCoef, epochs, miniBatches } = settings;
  const loss: LossSpec = { type: 'policy', clipLow, clipHigh, klCoef, entropyCoef };
  const run = new TrainingLoop(new TrainingState(base), loss, settings.maxTokensPerMicroBatch, control);
  const parts = Math.min(miniBatches, sequences.length);
  run.steps = epochs * parts;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(`${settings.orderKey}/epoch-${epoch}`, sequences.length);
    for (let part = 0; part < parts; part++) {
      const from = Math.round((part * order.length) / parts);
      const to = Math.round(((part + 1) * order.length) / parts);
      const chosen = order.slice(from, to).map((index) => sequences[index]!);
      await run.step(
        chosen,
        (batch) => policyFeeds(chosen, batch, klCoef > 0),
        (state) => state.step(settings, settings.learningRate),
      );
    }
  }
  return { state: run.state, metrics: run.metrics() };
}

/** Cross-entropy on responses, token mean over each batch; every pass over the examples has an order of its own. */
export async function sft(
  base: Resident,
  { examples, settings }: SftRequest,
  control: RequestControl,
): Promise<Trained> {
  checkSft(settings);
  checkSequences(examples, base.graphs.config);
  const run = new TrainingLoop(new TrainingState(base), { type: 'sft' }, settings.maxTokensPerMicroBatch, control);
  run.steps = settings.steps;
  const orders: number[][] = [];
  const exampleAt = (draw: number) => {
    const pass = Math.floor(draw / examples.length);
    orders[pass] ??= permutation(`${settings.orderKey}/pass-${pass}`, examples.length);
    return examples[orders[pass][draw % examples.length]!]!;
  };
  for (let step = 0; step < settings.steps; step++) {
    const chosen = Array.from({ length: settings.batchSize }, (_, offset) =>
      exampleAt(step * settings.batchSize + offset),
    );
    await run.step(
      chosen,
      () => ({}),
      (state) => state.step(settings, learningRateAt(step, settings)),
    );
  }
  return { state: run.state, metrics: run.metrics() };
}

/** Linear warm-up, then the schedule from `learningRate` to `finalLearningRate`. */
export function learningRateAt(step: number, settings: SftRequest['settings']): number {
  const { learningRate, finalLearningRate, warmupSteps, schedule, steps } = settings;
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  const share = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (schedule === 'constant') return learningRate;
  const left = schedule === 'linear' ? 1 - share : (1 + Math.cos(Math.PI * share)) / 2;
  return finalLearningRate + (learningRate - finalLearningRate) * left;
}

function policyFeeds(sequences: readonly TrainingSequence[], batch: MicroBatch, withReference: boolean): Feeds {
  const shape = [batch.rows.length, batch.width];
  const pack = (values: (index: number) => Float32Array | number) =>
    floatTensor(packResponses(sequences, batch, values), shape);
  return {
    advantage: pack((index) => sequences[index]!.advantage),
    old_log_prob: pack((index) => sequences[index]!.oldLogProbs),
    ...(withReference ? { ref_log_prob: pack((index) => sequences[index]!.referenceLogProbs!) } : {}),
  };
}

/** Sums over response tokens of all steps. */
interface Sums {
  tokens: number;
  loss: number;
  entropy: number;
  ratio: number;
  clipped: number;
  kl: number;
  referenceKl: number;
}

export class TrainingLoop {
  readonly state: TrainingState;
  steps = 0;
  private readonly loss: LossSpec;
  private readonly maxTokens: number;
  private readonly control: RequestControl;
  private readonly startedMs = performance.now();
  private readonly lossByStep: number[] = [];
  private readonly sums: Sums = { tokens: 0, loss: 0, entropy: 0, ratio: 0, clipped: 0, kl: 0, referenceKl: 0 };
  private gradNormSum = 0;
  private maxLogProbGap = 0;
  private cells = 0;
  private usedCells = 0;

  constructor(state: TrainingState, loss: LossSpec, maxTokens: number, control: RequestControl) {
    this.state = state;
    this.loss = loss;
    this.maxTokens = maxTokens;
    this.control = control;
  }

  /** Gradients of one mini-batch, then one optimizer step; returns the loss. Throws `NonFiniteLoss` naming the sequences. */
  async step(
    examples: readonly Example[],
    extraFeeds: (batch: MicroBatch) => Feeds,
    optimize: (state: TrainingState) => Promise<number>,
  ): Promise<number> {
    const tokens = examples.reduce((sum, { responseIds }) => sum + responseIds.length, 0);
    this.state.clearGradients();
    let loss = 0;
    for (const batch of planMicroBatches(examples, this.maxTokens)) {
      this.control.signal?.throwIfAborted();
      loss += await this.accumulate(examples, batch, tokens, extraFeeds(batch));
      // Between graph runs, messages (new calls, cancellation) get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.checkFinite('loss', loss, examples);
    const gradNorm = await optimize(this.state);
    this.checkFinite('gradient norm', gradNorm, examples);
    this.gradNormSum += gradNorm;
    this.sums.tokens += tokens;
    this.sums.loss += loss * tokens;
    this.lossByStep.push(loss);
    this.control.onProgress?.({ step: this.lossByStep.length, steps: this.steps, loss });
    return loss;
  }

  private async accumulate(
    examples: readonly Example[],
    batch: MicroBatch,
    tokens: number,
    extra: Feeds,
  ): Promise<number> {
    const shape = [batch.rows.length, batch.width];
    const { inputIds, targets } = packIds(examples, batch);
    const session = await this.state.graphs.gradient(this.loss);
    const { feeds, fetches } = this.state.accumulation();
    const outputs = await session.run(
      {
        ...this.state.feeds,
        ...feeds,
        ...extra,
        input_ids: intTensor(inputIds, shape),
        targets: intTensor(targets, shape),
        weight: floatTensor(
          packResponses(examples, batch, () => 1 / tokens),
          shape,
        ),
      },
      fetches,
    );
    this.gather(examples, batch, tokens, outputs);
    return floatsOf(outputs.loss!)[0]!;
  }

  private gather(examples: readonly Example[], batch: MicroBatch, tokens: number, outputs: Feeds): void {
    this.cells += batch.rows.length * batch.width;
    const entropy = floatsOf(outputs.entropy!);
    const logProb = floatsOf(outputs.log_prob!);
    batch.rows.forEach((index, row) => {
      const example = examples[index]!;
      this.usedCells += example.promptIds.length + example.responseIds.length - 1;
      for (const value of responseView(example, batch, row, entropy)) this.sums.entropy += value;
      if (this.lossByStep.length === 0 && 'oldLogProbs' in example)
        this.noteGap(example as TrainingSequence, responseView(example, batch, row, logProb));
    });
    if (this.loss.type !== 'policy') return;
    const sumOf = (name: string) => floatsOf(outputs[name]!)[0]! * tokens;
    this.sums.ratio += sumOf('ratio');
    this.sums.clipped += sumOf('clip_fraction');
    this.sums.kl += sumOf('kl');
    if (this.loss.klCoef > 0) this.sums.referenceKl += sumOf('reference_kl');
  }

  private noteGap({ oldLogProbs }: TrainingSequence, recomputed: Float32Array): void {
    recomputed.forEach((value, token) => {
      this.maxLogProbGap = Math.max(this.maxLogProbGap, Math.abs(value - oldLogProbs[token]!));
    });
  }

  private checkFinite(what: string, value: number, examples: readonly Example[]): void {
    if (Number.isFinite(value)) return;
    const ids = examples.map(({ id }) => id);
    throw new DomainError(
      'NonFiniteLoss',
      `the ${what} of step ${this.lossByStep.length + 1} is ${value}; sequences: ${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', ...' : ''}. Lower the learning rate`,
      { what, ids },
    );
  }

  metrics(): TrainMetrics {
    const { tokens, loss, entropy, ratio, clipped, kl, referenceKl } = this.sums;
    const isPolicy = this.loss.type === 'policy';
    return {
      loss: loss / tokens,
      gradNorm: this.gradNormSum / this.lossByStep.length,
      clipFraction: clipped / tokens,
      meanRatio: isPolicy ? ratio / tokens : 1,
      entropy: entropy / tokens,
      approxKl: kl / tokens,
      referenceKl: referenceKl / tokens,
      maxLogProbGap: this.maxLogProbGap,
      tokens,
      padding: 1 - this.usedCells / this.cells,
      steps: this.lossByStep.length,
      lossByStep: this.lossByStep,
      durationMs: performance.now() - this.startedMs,
    };
  }
}
