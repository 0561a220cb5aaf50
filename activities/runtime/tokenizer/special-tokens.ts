/**
 * Keeps text that people and models wrote from turning into control tokens. It finds where a text spells a special
 * token and says where to cut, so that no piece spells one; it knows no tokenizer.
 */

/**
 * Positions in `text`, ascending, at which it must be cut: one character into each occurrence of a special token, and
 * at an end that could complete one together with neighbouring text.
 */
export function cutPositions(text: string, specials: readonly string[]): number[] {
  const cuts = new Set<number>();
  for (const special of specials) {
    if (special.length === 0) continue;
    for (let at = text.indexOf(special); at >= 0; at = text.indexOf(special, at + 1)) cuts.add(at + 1);
    for (let size = 1; size < special.length; size++) {
      if (text.endsWith(special.slice(0, size))) cuts.add(text.length);
      if (text.startsWith(special.slice(special.length - size))) cuts.add(0);
    }
  }
  return [...cuts].sort((a, b) => a - b);
}

/** The text in pieces, none of which holds a special token; joined, they are the text. */
export function cutText(text: string, specials: readonly string[]): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (const cut of cutPositions(text, specials)) {
    if (cut > from) pieces.push(text.slice(from, cut));
    from = cut;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

/** Marks each cut with `guard`, a character that the text does not hold. */
export function guardText(text: string, specials: readonly string[], guard: string): string {
  let guarded = '';
  let from = 0;
  for (const cut of cutPositions(text, specials)) {
    guarded += text.slice(from, cut) + guard;
    from = cut;
  }
  return guarded + text.slice(from);
}

/** A private-use character that none of the texts holds; null where they hold all 6400 of them. */
export function unusedCharacter(texts: readonly string[]): string | null {
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!texts.some((text) => text.includes(character))) return character;
  }
  return null;
}
