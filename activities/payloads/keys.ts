/**
 * The keys that encrypt what Temporal stores, from the environment or a file. The first key encrypts, all decrypt: a new
 * key is added behind the old one everywhere, then moved to the front, and the old one leaves when no history needs it.
 */
import { readFileSync } from 'node:fs';
import { DomainError } from '../../shared/errors.ts';

export interface PayloadKey {
  /** Stands in clear in every payload that the key encrypted. */
  id: string;
  /** [32] */
  bytes: Buffer;
}

/** AES-256. */
const keyBytes = 32;
const idPattern = /^[A-Za-z0-9._-]{1,64}$/;
const makeOne = 'make a key with: openssl rand -base64 32';

/**
 * METAAGENTX_PAYLOAD_KEYS (`ID:BASE64`, separated by commas), else the file that METAAGENTX_PAYLOAD_KEYS_FILE or the
 * configuration names (one `ID:BASE64` a line, `#` begins a comment), else null: nothing is encrypted. Throws
 * `InvalidConfig`, which never shows a key.
 */
export function readPayloadKeys(environment: NodeJS.ProcessEnv, configuredFile: string | null): PayloadKey[] | null {
  const inline = environment.METAAGENTX_PAYLOAD_KEYS;
  if (inline) return parseKeys(inline.split(','), 'METAAGENTX_PAYLOAD_KEYS');
  const file = environment.METAAGENTX_PAYLOAD_KEYS_FILE || configuredFile;
  return file ? parseKeys(readLines(file), file) : null;
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.replace(/#.*/, ''));
  } catch (cause) {
    throw new DomainError(
      'InvalidConfig',
      `the file of payload keys cannot be read: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}

function parseKeys(entries: readonly string[], source: string): PayloadKey[] {
  const keys = entries
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry, index) => parseKey(entry, `key ${index + 1} of ${source}`));
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) < index);
  if (twice !== undefined) throw refused(`${source} holds two keys with the id '${twice.id}'`);
  if (keys.length === 0) throw refused(`${source} holds no payload key; ${makeOne}`);
  return keys;
}

function parseKey(entry: string, what: string): PayloadKey {
  const colon = entry.indexOf(':');
  const id = entry.slice(0, Math.max(0, colon)).trim();
  if (!idPattern.test(id))
    throw refused(`${what} is not ID:BASE64 with an id of 1 to 64 letters, digits, '.', '_', '-'`);
  const text = entry.slice(colon + 1).trim();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw refused(`${what}, '${id}', is not base64; ${makeOne}`);
  if (bytes.length !== keyBytes)
    throw refused(`${what}, '${id}', is ${bytes.length} bytes long: AES-256 needs ${keyBytes}; ${makeOne}`);
  return { id, bytes };
}

const refused = (message: string) => new DomainError('InvalidConfig', message);
