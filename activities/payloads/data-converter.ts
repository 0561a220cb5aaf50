/** How a client or a worker turns values into what Temporal stores: as JSON, or encrypted where keys are configured. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { encryptionCodec } from './codec.ts';
import { readPayloadKeys } from './keys.ts';

/** Moves messages and stack traces of failures into a payload, so that they are encrypted as well. */
export const failureConverterPath = fileURLToPath(new URL('./encoded-failures.cjs', import.meta.url));

/** Null where no keys are configured. Throws `InvalidConfig`. */
export function encryptingConverter(environment: NodeJS.ProcessEnv, keysFile: string | null): DataConverter | null {
  const keys = readPayloadKeys(environment, keysFile);
  return keys === null ? null : { payloadCodecs: [encryptionCodec(keys)], failureConverterPath };
}
