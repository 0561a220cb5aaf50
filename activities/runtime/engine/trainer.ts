/**
 * Supervised and policy-gradient updates: what is learned from in which order and at which rate. The base version is only
 * read; the same request gives the same bits.
 */
import { DomainError } from '../../../shared/errors.ts';
import { permutation } from '../../../shared/random.ts';
import type { LossSpec } from '../../../shared/model/interface.ts';
import type {
  GradientRequest,
  MicroBatchGradient,
  RequestControl,
  SftRequest,
  StepRequest,
  TrainingSequence,
  TrainMetrics,
  UpdateRequest,
  UpdateSettings,
} from './contract.ts';
import { checkSequences, checkSft, checkUpdate } from './check-request.ts';
import { packResponses } from './micro-batches.ts';
import type { MicroBatch, PackedBatch } from './micro-batches.ts';
import { TrainingState } from './optimizer.ts';
import type { Resident } from './resident.ts';
import { floatTensor } from './session.ts';
import type { Feeds } from './session.ts';
import { checkFinite, TrainingLoop } from './training-loop.ts';

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
  const { klCoef, epochs, miniBatches } = settings;
  const run = new TrainingLoop(new TrainingState(base), policyLoss(settings), settings, control);
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
        (batch, packed) => policyFeeds(chosen, batch, packed, klCoef > 0),
        (state) => state.step(settings, settings.learningRate),
      );
    }
  }
  return { state: run.state, metrics: run.metrics() };
}

/** Gradients of a share of the only mini-batch; throws `InvalidInput` where an update takes more than one step. */
export async function gradients(
  base: Resident,
  { sequences, settings, share }: GradientRequest,
  control: RequestControl,
): Promise<MicroBatchGradient[]> {
  checkUpdate(settings, sequences);
  checkSequences(sequences, base.graphs.config);
  const chosen = onlyMiniBatch(sequences, settings);
  const run = new TrainingLoop(new TrainingState(base), policyLoss(settings), settings, control);
  return run.gradientsOf(chosen, (batch, packed) => policyFeeds(chosen, batch, packed, settings.klCoef > 0), share);
}

/** One AdamW step with gradients that were added up elsewhere. Throws `NonFiniteLoss` and `ShapeMismatch`. */
export async function step(base: Resident, request: StepRequest): Promise<Trained> {
  const { gradients: given, settings, sequences, metrics } = request;
  const startedMs = performance.now();
  const state = new TrainingState(base);
  state.takeGradients(given);
  const gradNorm = await state.step(settings, settings.learningRate);
  checkFinite('gradient norm', gradNorm, 1, sequences);
  return { state, metrics: { ...metrics, gradNorm, durationMs: performance.now() - startedMs } };
}

/** The sequences of an update of one step, in its order. Throws `InvalidInput` where it takes more. */
export function onlyMiniBatch(
  sequences: readonly TrainingSequence[],
  { epochs, miniBatches, orderKey }: UpdateSettings,
): TrainingSequence[] {
  const steps = epochs * Math.min(miniBatches, sequences.length);
  if (steps === 1) return permutation(`${orderKey}/epoch-0`, sequences.length).map((index) => sequences[index]!);
  throw new DomainError('InvalidInput', `an update of ${steps} steps cannot be divided: expected 1`, { steps });
}

function policyLoss({ clipLow, clipHigh, klCoef, entropyCoef }: UpdateSettings): LossSpec {
  return { type: 'policy', clipLow, clipHigh, klCoef, entropyCoef };
}

/** Cross-entropy on responses, token mean over each batch; every pass over the examples has an order of its own. */
export async function sft(
  base: Resident,
  { examples, settings }: SftRequest,
  control: RequestControl,
): Promise<Trained> {
  checkSft(settings);
  checkSequences(examples, base.graphs.config);
  const run = new TrainingLoop(new TrainingState(base), { type: 'sft' }, settings, control);
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

function policyFeeds(
  sequences: readonly TrainingSequence[],
  batch: MicroBatch,
  packed: PackedBatch,
  withReference: boolean,
): Feeds {
  const pack = (values: (index: number) => Float32Array | number) =>
    floatTensor(packResponses(sequences, batch, packed, values), [packed.targets.length]);
  return {
    advantage: pack((index) => sequences[index]!.advantage),
    old_log_prob: pack((index) => sequences[index]!.oldLogProbs),
    ...(withReference ? { ref_log_prob: pack((index) => sequences[index]!.referenceLogProbs!) } : {}),
  };
}
