/** A policy's adapters in words. */
import type { DecoderConfig } from '../../shared/model/config.ts';
import { adapterShapes } from '../../shared/model/lora.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import { compact } from '../view/numbers.ts';

export function loraText(lora: LoraSpec, decoder: DecoderConfig): string {
  const sizes = [...adapterShapes(decoder, lora).values()].map(([rows, width]) => rows! * width!);
  const count = compact(sizes.reduce((sum, size) => sum + size, 0));
  const scale = lora.rankStabilised === true ? 'alpha / sqrt(rank)' : 'alpha / rank';
  return `LoRA of rank ${lora.rank}, alpha ${lora.alpha} (${scale}) on ${lora.targets.join(', ')}: ${count} parameters`;
}
