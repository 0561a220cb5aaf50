/** What a training step of a given micro-batch takes of memory, in words and numbers. */
import { DomainError } from '../../shared/errors.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import { planMemory } from '../../shared/model/memory-plan.ts';
import type { MemoryPlan } from '../../shared/model/memory-plan.ts';

export interface Batch {
  rows: number;
  length: number;
}

/** Throws `InvalidInput`. */
export function parseBatch(text: string): Batch {
  const [, rows, length] = /^([1-9]\d{0,4})x([1-9]\d{0,6})$/.exec(text) ?? [];
  if (rows !== undefined && length !== undefined && length !== '1')
    return { rows: Number(rows), length: Number(length) };
  throw new DomainError('InvalidInput', `--plan is '${text}'; expected ROWSxTOKENS, such as 8x2048`, { text });
}

function plansOf(
  decoder: DecoderConfig,
  { rows, length }: Batch,
  lora?: LoraSpec,
): { plain: MemoryPlan; recomputed: MemoryPlan } {
  if (length > decoder.maxPositions) {
    throw new DomainError(
      'InvalidInput',
      `--plan asks for ${length} tokens; expected at most the context of ${decoder.maxPositions}`,
    );
  }
  const plan = (recompute: boolean) => planMemory(decoder, { rows, length, recompute, lora });
  return { plain: plan(false), recomputed: plan(true) };
}

export const planOf = (decoder: DecoderConfig, batch: Batch | null, lora?: LoraSpec) =>
  batch === null ? {} : { plan: { ...batch, ...plansOf(decoder, batch, lora) } };

export function planFacts(decoder: DecoderConfig, batch: Batch | null, lora?: LoraSpec): [string, string][] {
  if (batch === null) return [];
  const { plain, recomputed } = plansOf(decoder, batch, lora);
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  const text = ({ weights, training, run, total, card }: MemoryPlan) =>
    `${mb(total)}: weights ${mb(weights)}, what is learned ${mb(training)}, run ${mb(run)} (on a card ${mb(card)})`;
  return [
    [`${batch.rows} x ${batch.length}`, `a training step takes ${text(plain)}`],
    ['', `with recompute: ${text(recomputed)}`],
  ];
}
