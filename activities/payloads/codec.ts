/**
 * Payloads that Temporal cannot read: AES-256-GCM over the whole payload, its own metadata included, with a random nonce of
 * 96 bits and the key's id in clear (NIST SP 800-38D; at most 2^32 payloads a key). The id and the form are authenticated
 * too. What is not encrypted passes through on the way in, so that runs that began before go on.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { DomainError } from '../../shared/errors.ts';
import type { PayloadKey } from './keys.ts';

/** Temporal's own name for the form; the UI and the SDKs' samples use it. */
export const encryptedEncoding = 'binary/encrypted';
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('utf8');
const bound = (keyId: string) => Buffer.from(`metaagentx payload 1\0${cipher}\0${keyId}`);

export const isEncrypted = ({ metadata }: Payload): boolean => text(metadata?.encoding) === encryptedEncoding;

/** Throws `PayloadKeyUnknown` where a key is missing, `PayloadCorrupt` where a byte was changed. */
export function encryptionCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [current] = keys;
  if (current === undefined) throw new DomainError('InvalidConfig', 'an encryption codec needs a key');
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, current)),
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, byId) : payload)),
  };
}

/** data: nonce [12] · ciphertext · tag [16] */
function encrypt(payload: Payload, { id, bytes }: PayloadKey): Payload {
  const nonce = randomBytes(nonceBytes);
  const seal = createCipheriv(cipher, bytes, nonce, { authTagLength: tagBytes }).setAAD(bound(id));
  const sealed = Buffer.concat([seal.update(PayloadMessage.encode(payload).finish()), seal.final()]);
  return {
    metadata: {
      encoding: Buffer.from(encryptedEncoding),
      'encryption-cipher': Buffer.from(cipher),
      'encryption-key-id': Buffer.from(id),
    },
    data: Buffer.concat([nonce, sealed, seal.getAuthTag()]),
  };
}

function decrypt({ metadata, data }: Payload, keys: ReadonlyMap<string, PayloadKey>): Payload {
  const id = text(metadata?.['encryption-key-id']);
  const key = keys.get(id);
  if (key === undefined) {
    throw new DomainError(
      'PayloadKeyUnknown',
      `a payload was encrypted with key '${id}', and here are only ${[...keys.keys()].join(', ')}: add it to METAAGENTX_PAYLOAD_KEYS or the keys file and start again`,
      { keyId: id, known: [...keys.keys()] },
    );
  }
  const sealed = Buffer.from(data ?? []);
  if (sealed.length < nonceBytes + tagBytes) throw corrupt(id, `${sealed.length} bytes are too few`);
  try {
    const open = createDecipheriv(cipher, key.bytes, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
      .setAAD(bound(id))
      .setAuthTag(sealed.subarray(-tagBytes));
    const clear = Buffer.concat([open.update(sealed.subarray(nonceBytes, -tagBytes)), open.final()]);
    return PayloadMessage.decode(clear);
  } catch (cause) {
    throw corrupt(id, 'its authentication tag does not fit', cause);
  }
}

const corrupt = (keyId: string, why: string, cause?: unknown) =>
  new DomainError(
    'PayloadCorrupt',
    `a payload of key '${keyId}' cannot be trusted: ${why}. It was changed, or another key bears this id`,
    { keyId },
    { cause },
  );
