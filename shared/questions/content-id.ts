/**
 * Ids for questions whose file gives none: derived from the text, so that they do not depend on position and survive
 * re-ordering, splitting and mixing. Not a security digest: a collision shows as a duplicate id and is refused.
 */
const prime = 0x100000001b3n;
const mask = (1n << 64n) - 1n;

/** 64-bit FNV-1a over the UTF-16 code units of `text`, as 16 hexadecimal digits. */
export function contentHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    hash = ((hash ^ BigInt(unit & 0xff)) * prime) & mask;
    if (unit > 0xff) hash = ((hash ^ BigInt(unit >> 8)) * prime) & mask;
  }
  return hash.toString(16).padStart(16, '0');
}

/** `prefix-` and the hash of the text with its white space folded. */
export function contentId(prefix: string, text: string): string {
  return `${prefix}-${contentHash(text.trim().replace(/\s+/g, ' '))}`;
}
