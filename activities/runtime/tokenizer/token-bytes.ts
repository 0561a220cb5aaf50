/**
 * The exact bytes that each token stands for, for byte-level tokenizers (GPT-2, Qwen, Llama 3), whose token strings
 * spell bytes as printable characters (Radford et al. 2019, `bytes_to_unicode`). Knows no sampling.
 */

/** The character that spells each byte. */
function byteAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let spare = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    alphabet.set(String.fromCodePoint(printable ? byte : spare++), byte);
  }
  return alphabet;
}

const alphabet = byteAlphabet();

/** True where tokenizer.json's decoder is byte-level, alone or in a sequence with nothing else. */
export function isByteLevel(decoder: unknown): boolean {
  if (typeof decoder !== 'object' || decoder === null || !('type' in decoder)) return false;
  if (decoder.type === 'ByteLevel') return true;
  if (decoder.type !== 'Sequence' || !('decoders' in decoder) || !Array.isArray(decoder.decoders)) return false;
  return decoder.decoders.length === 1 && isByteLevel(decoder.decoders[0]);
}

/** Bytes of one byte-level token string; added tokens stand for their own text. */
export function tokenBytes(token: string, added: boolean): Uint8Array {
  if (added) return new TextEncoder().encode(token);
  const bytes: number[] = [];
  for (const character of token) {
    const byte = alphabet.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
