/** The training graph: loss, token statistics and the gradient of every trainable parameter. Interface: interface.ts. */
import { DomainError } from '../errors.ts';
import { add, split } from '../graph/build.ts';
import { gradient } from '../graph/gradient.ts';
import type { Value } from '../graph/graph.ts';
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder } from './decoder.ts';
import { isAdapter } from './lora.ts';
import type { BuiltGraph, GradientGraphOptions } from './interface.ts';
import { checkLoss, lossInputs, lossTerms, type LossTerms, type LossTokens } from './loss.ts';
import { joined, scoreTargets } from './scores.ts';

/** Throws `UnsupportedModel` for a bad config and `InvalidInput` for bad options. */
export function buildGradientGraph(config: DecoderConfig, options: GradientGraphOptions): BuiltGraph {
  const { inputs, outputs } = gradientValues(config, options);
  return finish(inputs, outputs, options);
}

/** The same before it is written. */
export function gradientValues(
  config: DecoderConfig,
  options: GradientGraphOptions,
): { inputs: readonly Value[]; outputs: Record<string, Value> } {
  const { loss, accumulate = false, lossChunks = 1, attentionBlocks = 1, lora = null, recompute = false } = options;
  const { trainable = lora === null ? () => true : isAdapter } = options;
  checkLoss(loss);
  checkCount('lossChunks', lossChunks);
  checkCount('attentionBlocks', attentionBlocks);
  const decoder = createDecoder(config, lora, options.precision);
  const { graph } = decoder;
  const pieces = scoreTargets(decoder, lossChunks, attentionBlocks);
  const perToken = new Map(
    (['weight', ...lossInputs(loss)] as const).map((name) => [
      name,
      split(graph.input(name, 'float32', ['N']), lossChunks),
    ]),
  );

  const terms = pieces.map((piece, i) => {
    const at = (name: Parameters<typeof perToken.get>[0]) => perToken.get(name)?.[i];
    const tokens: LossTokens = {
      ...piece,
      weight: at('weight')!,
      advantage: at('advantage'),
      oldLogProb: at('old_log_prob'),
      refLogProb: at('ref_log_prob'),
    };
    return lossTerms(loss, tokens);
  });
  const totals = totalTerms(terms);

  const learned = [...decoder.parameters].filter(([name]) => trainable(name));
  if (learned.length === 0) {
    throw new DomainError(
      'InvalidInput',
      'Gradient graph: no parameter is trainable; expected at least one. Widen `trainable`.',
    );
  }
  const start = accumulate
    ? learned.map(([name, value]) => graph.input(`accum.${name}`, 'float32', value.shape))
    : undefined;
  const gradients = gradient(
    totals.loss,
    learned.map(([, value]) => value),
    start,
    recompute ? decoder.layers : [],
  );
  const outputs: Record<string, Value> = {
    ...totals,
    log_prob: joined(pieces, 'logProb'),
    entropy: joined(pieces, 'entropy'),
  };
  learned.forEach(([name], i) => (outputs[`grad.${name}`] = gradients[i]!));
  return { inputs: graph.inputs, outputs };
}

export function checkCount(option: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1) return;
  throw new DomainError('InvalidInput', `${option} is ${count}; expected a positive integer.`, { [option]: count });
}

function totalTerms(terms: readonly LossTerms[]): LossTerms {
  return terms.reduce((total, next) => {
    const sums = Object.entries(next).map(([name, value]) => [name, add(total[name as keyof LossTerms]!, value)]);
    return Object.fromEntries(sums) as LossTerms;
  });
}
