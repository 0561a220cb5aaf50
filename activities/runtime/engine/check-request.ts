/** Refuses requests that cannot be served, before any work, with what is wrong and what was expected. Pure. */
import type { DecoderConfig } from '../../../shared/model/config.ts';
import type { SamplingSettings } from '../../../shared/domain/sampling.ts';
import { DomainError } from '../../../shared/errors.ts';
import { precisions } from '../../../shared/model/interface.ts';
import { trainingPrecisions } from './contract.ts';
import type {
  AdamSettings,
  GenerateRequest,
  SftSettings,
  TrainingPrecision,
  TrainingSequence,
  UpdateSettings,
} from './contract.ts';

function refuse(what: string, value: unknown, expected: string): never {
  throw new DomainError('InvalidInput', `${what} is ${String(value)}; expected ${expected}`, { value, expected });
}

const within = (what: string, value: number, low: number, high: number, expected: string) => {
  if (!(value >= low && value <= high)) refuse(what, value, expected);
};
const whole = (what: string, value: number, low: number) => {
  if (!Number.isSafeInteger(value) || value < low) refuse(what, value, `a whole number of at least ${low}`);
};

function checkIds(what: string, ids: Int32Array, vocabSize: number): void {
  if (ids.length === 0) refuse(what, 'empty', 'at least one token');
  for (const id of ids) {
    if (id < 0 || id >= vocabSize) refuse(`${what}: a token id`, id, `0 to ${vocabSize - 1}, the model's vocabulary`);
  }
}

export function checkSampling(sampling: SamplingSettings): void {
  within('temperature', sampling.temperature, 0, 100, '0 (greedy) to 100');
  if (!(sampling.topP > 0 && sampling.topP <= 1)) refuse('topP', sampling.topP, 'more than 0, at most 1');
  whole('topK', sampling.topK, 0);
  if (!(sampling.minP >= 0 && sampling.minP < 1)) refuse('minP', sampling.minP, 'at least 0, less than 1');
  whole('maxTokens', sampling.maxTokens, 1);
}

export function checkGenerate(request: GenerateRequest, config: DecoderConfig): void {
  checkIds('the prompt', request.promptIds, config.vocabSize);
  if (request.promptIds.length >= config.maxPositions) {
    refuse('prompt length', request.promptIds.length, `less than the model's context of ${config.maxPositions} tokens`);
  }
  checkSampling(request.sampling);
  const { weights = 'float32' } = request;
  if (!precisions.includes(weights)) refuse('weights', weights, precisions.join(', '));
}

type Sequence = { id?: string; promptIds: Int32Array; responseIds: Int32Array };

/** Prompt and response of each sequence: known tokens, not empty, and together within the context. */
export function checkSequences(sequences: readonly Sequence[], config: DecoderConfig): void {
  if (sequences.length === 0) refuse('the number of sequences', 0, 'at least one');
  sequences.forEach((sequence, index) => {
    const name = `sequence '${sequence.id ?? index}'`;
    checkIds(`the prompt of ${name}`, sequence.promptIds, config.vocabSize);
    checkIds(`the response of ${name}`, sequence.responseIds, config.vocabSize);
    const length = sequence.promptIds.length + sequence.responseIds.length;
    if (length > config.maxPositions) refuse(`length of ${name}`, length, `at most ${config.maxPositions} tokens`);
  });
}

function checkAdam(settings: AdamSettings): void {
  within('learningRate', settings.learningRate, 0, Number.MAX_VALUE, 'a number of at least 0');
  for (const name of ['beta1', 'beta2'] as const) {
    if (!(settings[name] >= 0 && settings[name] < 1)) refuse(name, settings[name], 'at least 0, less than 1');
  }
  if (!(settings.epsilon > 0)) refuse('epsilon', settings.epsilon, 'more than 0');
  within('weightDecay', settings.weightDecay, 0, Number.MAX_VALUE, 'a number of at least 0');
  within('maxGradNorm', settings.maxGradNorm, 0, Number.MAX_VALUE, '0 (off) or more');
  checkPrecision(settings.precision ?? 'float32');
}

export function checkPrecision(precision: TrainingPrecision): void {
  if (!trainingPrecisions.includes(precision)) refuse('precision', precision, trainingPrecisions.join(' or '));
}

export function checkUpdate(settings: UpdateSettings, sequences: readonly TrainingSequence[]): void {
  checkAdam(settings);
  within('clipLow', settings.clipLow, 0, 1, '0 to 1');
  within('clipHigh', settings.clipHigh, 0, Number.MAX_VALUE, 'a number of at least 0');
  within('klCoef', settings.klCoef, 0, Number.MAX_VALUE, 'a number of at least 0');
  if (!Number.isFinite(settings.entropyCoef)) refuse('entropyCoef', settings.entropyCoef, 'a number');
  for (const name of ['epochs', 'miniBatches', 'maxTokensPerMicroBatch'] as const) whole(name, settings[name], 1);
  if (!((settings.logProbGapLimit ?? 1) > 0)) refuse('logProbGapLimit', settings.logProbGapLimit, 'more than 0');
  for (const { id, advantage, oldLogProbs, referenceLogProbs, responseIds } of sequences) {
    if (!Number.isFinite(advantage)) refuse(`advantage of sequence '${id}'`, advantage, 'a finite number');
    if (oldLogProbs.length !== responseIds.length) {
      refuse(`number of oldLogProbs of sequence '${id}'`, oldLogProbs.length, `${responseIds.length}, one a token`);
    }
    if (settings.klCoef > 0 && referenceLogProbs?.length !== responseIds.length) {
      refuse(`number of referenceLogProbs of sequence '${id}'`, referenceLogProbs?.length, `${responseIds.length}`);
    }
  }
}

export function checkSft(settings: SftSettings): void {
  checkAdam(settings);
  for (const name of ['steps', 'batchSize', 'maxTokensPerMicroBatch'] as const) whole(name, settings[name], 1);
  whole('warmupSteps', settings.warmupSteps, 0);
  within('finalLearningRate', settings.finalLearningRate, 0, Number.MAX_VALUE, 'a number of at least 0');
}
