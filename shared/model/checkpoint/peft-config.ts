/**
 * PEFT's `adapter_config.json` to a `LoraSpec` and back, and PEFT's tensor names (PEFT 0.21). As with config.json, a key that
 * this file does not know, and a setting that the graphs cannot compute, is refused by name.
 */
import { DomainError } from '../../errors.ts';
import type { DecoderConfig } from '../config.ts';
import { checkLora, loraTargets, type LoraSpec, type LoraTarget } from '../lora.ts';

type Json = Readonly<Record<string, unknown>>;

/** PEFT's name of a tensor begins with this. */
export const peftPrefix = 'base_model.model.';

/** Keys that say nothing about what the adapter computes. */
const indifferent = new Set([
  'arrow_config',
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'ensure_weight_tying',
  'eva_config',
  'inference_mode',
  'kasa_config',
  'layers_pattern',
  'loftq_config',
  'lora_dropout',
  'lora_ga_config',
  'megatron_config',
  'megatron_core',
  'monteclora_config',
  'peft_version',
  'qalora_group_size',
  'revision',
  'runtime_config',
  'velora_config',
]);
const read = new Set([
  'peft_type',
  'r',
  'lora_alpha',
  'target_modules',
  'use_rslora',
  'bias',
  'task_type',
  'init_lora_weights',
]);

/** Other ways to begin change the weights under the adapter. */
const harmlessInits: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'orthogonal', 'eva'];

/** Any other key switches on something that is not computed here, unless it is off. */
const isOff = (value: unknown): boolean =>
  value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);

function refuse(key: string, value: unknown, expected: string): never {
  throw new DomainError(
    'UnsupportedModel',
    `adapter_config.json: ${key} is ${JSON.stringify(value) ?? 'missing'}; expected ${expected}. Choose an adapter without it, or merge it into its model with PEFT.`,
    { key, value },
  );
}

/** Throws `UnsupportedModel` naming the first key that cannot be honoured, `InvalidConfig` for numbers out of range. */
export function loraOf(config: DecoderConfig, adapter: Json): LoraSpec {
  if (adapter.peft_type !== 'LORA') refuse('peft_type', adapter.peft_type, '"LORA"');
  for (const [key, value] of Object.entries(adapter)) {
    if (!read.has(key) && !indifferent.has(key) && !isOff(value)) refuse(key, value, 'no such setting');
  }
  if ((adapter.bias ?? 'none') !== 'none') refuse('bias', adapter.bias, '"none"');
  if ((adapter.task_type ?? 'CAUSAL_LM') !== 'CAUSAL_LM') refuse('task_type', adapter.task_type, '"CAUSAL_LM"');
  if (!harmlessInits.includes(adapter.init_lora_weights)) {
    refuse('init_lora_weights', adapter.init_lora_weights, 'true, false, "gaussian", "orthogonal" or "eva"');
  }
  const { target_modules: modules } = adapter;
  if (!Array.isArray(modules) || !modules.every((module) => loraTargets.includes(module as LoraTarget))) {
    refuse('target_modules', modules, `a list of some of ${loraTargets.join(', ')}`);
  }
  return checkLora(config, {
    rank: adapter.r as number,
    alpha: adapter.lora_alpha as number,
    targets: loraTargets.filter((target) => modules.includes(target)),
    ...(adapter.use_rslora === true ? { rankStabilised: true } : {}),
  });
}

/** `base` names the model that the adapter belongs to: what PEFT loads it on. */
export function peftConfigOf({ rank, alpha, targets, rankStabilised = false }: LoraSpec, base: string): Json {
  return {
    base_model_name_or_path: base,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: targets,
    task_type: 'CAUSAL_LM',
    use_rslora: rankStabilised,
  };
}
