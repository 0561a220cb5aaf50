/** Parts of a version 0 as adapters that change nothing yet, on the weights that the parts would otherwise be. */
import { fillNormal } from '../../shared/random.ts';
import { checkLora, initialAdapter } from '../../shared/model/lora.ts';
import type { LoraSpec } from '../../shared/model/lora.ts';
import type { DecoderConfig } from '../../shared/model/config.ts';
import type { PolicyDocument, PolicyPart } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';
import { storePart } from './commit.ts';

export interface AdapterPlan {
  runId: string;
  seed: number;
  decoder: DecoderConfig;
  lora: LoraSpec;
}

/** Every part begins with the same adapter. Throws `InvalidConfig` where the decoder cannot have it. */
export async function onAdapters(
  store: Store,
  { runId, seed, decoder, lora }: AdapterPlan,
  parts: PolicyDocument['parts'],
): Promise<PolicyDocument['parts']> {
  checkLora(decoder, lora);
  const draw = (name: string, length: number) => fillNormal(`${seed}/initial/${name}`, new Float32Array(length), 1);
  const parameters = initialAdapter(decoder, lora, draw);
  const adapted: PolicyDocument['parts'] = {};
  for (const part of Object.keys(parts) as PolicyPart[]) {
    const making = { runId, version: 0, decoder, lora };
    adapted[part] = await storePart(store, making, { part, parameters, optimizer: null }, parts[part]!.weights);
  }
  return adapted;
}
