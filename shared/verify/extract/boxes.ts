/** Finds `\boxed{…}` in text: by position, braces counted, never by content. Linear in the text's length. */
const boxCommand = /\\(?:boxed|fbox|framebox)(?![A-Za-z])/g;
/** A box without braces holds at most this many characters. */
const bareLimit = 120;

export interface Box {
  content: string;
  /** Offsets of the command's backslash and of the end of the closing brace. */
  from: number;
  to: number;
}

/** Content of the last complete `\boxed{…}` by position; an unclosed one (a cut-off reply) is no answer. */
export function lastBoxed(text: string): string | null {
  return lastBox(text)?.content ?? null;
}

export const lastBox = (text: string): Box | null => boxes(text, 1)[0] ?? null;

/** The last `limit` boxes in order of position; a box inside a box counts as its outer one. */
export function boxes(text: string, limit: number): Box[] {
  if (!/\\(?:boxed|fbox|framebox)/.test(text)) return [];
  const matches = [...text.matchAll(boxCommand)];
  const closers = braceEnds(text);
  const found: Box[] = [];
  for (let i = matches.length - 1; i >= 0 && found.length < limit; i -= 1) {
    const start = matches[i]!.index;
    const box = boxAt(text, closers, start, start + matches[i]![0].length);
    if (box === null) continue;
    const inner = found[0];
    if (inner !== undefined && inner.to <= box.to) found.shift();
    found.unshift(box);
  }
  return found;
}

function boxAt(text: string, closers: ReadonlyMap<number, number>, from: number, after: number): Box | null {
  let start = after;
  while (text[start] === ' ' || text[start] === '\n') start += 1;
  if (text[start] === '{') {
    const end = closers.get(start);
    if (end === undefined) return unclosed(text, from, start + 1);
    return { content: text.slice(start + 1, end).trim(), from, to: end + 1 };
  }
  const bare = /^(?:\\[dt]?frac\{[^{}]*\}\{[^{}]*\}|[^\s${}\\]+)/.exec(text.slice(start, start + bareLimit))?.[0];
  return bare === undefined ? null : { content: bare.replace(/[.,;]$/, ''), from, to: start + bare.length };
}

/** A forgotten brace (`$\boxed{204$ and so on`) still shows a whole answer; at the end of the text it may be cut off. */
function unclosed(text: string, from: number, start: number): Box | null {
  const match = /^([^${}\n]{1,60})\$(?=[\s.,;!$][\s\S])/.exec(text.slice(start, start + 80));
  return match === null ? null : { content: match[1]!.trim(), from, to: start + match[1]!.length };
}

/** Whether what stands between two boxes only parts them: separators, delimiters, a few words with one of them. */
function onlyParts(gap: string): boolean {
  if (gap.length > 100) return false;
  const plain = gap
    .replace(/\\(?:text|mathrm|textrm)\{([^{}]{0,40})\}/g, ' $1 ')
    .replace(/\\q?quad|\\[()[\],;: ]|[a-zA-Z](?:_\{?\w{1,3}\}?)?\s*=\s*$/g, ' ');
  if (!/^[\sA-Za-z$.,;()*]*$/.test(plain)) return false;
  const words = plain.match(/[A-Za-z]+/g) ?? [];
  return (
    words.length === 0 ||
    (words.length <= 6 && (plain.includes(',') || words.some((word) => /^(?:and|or)$/i.test(word))))
  );
}

/** The run of boxes at the end with nothing but separators and a word or two between, joined by commas; else null. */
export function joinedBoxes(text: string): string | null {
  const found = boxes(text, 40);
  let first = found.length - 1;
  while (first > 0) {
    const gap = text.slice(found[first - 1]!.to, found[first]!.from);
    if (!onlyParts(gap)) break;
    first -= 1;
  }
  const run = [...found.slice(Math.max(first, 0)).map((box) => box.content)];
  return run.length < 2 || run.every((content) => content === run[0]) ? null : run.join(', ');
}

/** Where each brace that is closed is closed, by its offset. Escaped braces (`\{`) do not count. One pass. */
function braceEnds(text: string): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === '\\') i += 1;
    else if (c === '{') open.push(i);
    else if (c === '}' && open.length > 0) ends.set(open.pop()!, i);
  }
  return ends;
}

/** Index of the brace that closes the one at `open`, or -1. */
export function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    const c = text[i];
    if (c === '\\') i += 1;
    else if (c === '{') depth += 1;
    else if (c === '}' && (depth -= 1) === 0) return i;
  }
  return -1;
}
