/**
 * Finds the final answer in raw model text. Knows nothing of mathematics: it returns the text of the answer.
 *
 * Order, each by the *last* place in the text: `\boxed{…}` (brace counting; contents are never de-duplicated), a GSM8K
 * `#### n` line, an announced answer ("final answer is …", "answer: …"). Text without any of these has no answer, with
 * one exception: a reply that is itself only an answer (one short line). Based on spec B3 (last by position).
 */

const boxCommand = /\\(?:boxed|fbox)(?![A-Za-z])/g;
/** A reply of at most this many characters on one line may be the bare answer. */
const bareLimit = 120;

/** The answer's text, trimmed, or null where the text announces none. Linear in the text's length. */
export function extractAnswer(text: string): string | null {
  return lastBoxed(text) ?? hashAnswer(text) ?? announcedAnswer(text) ?? bareAnswer(text);
}

/** Content of the last complete `\boxed{…}` by position; an unclosed one (a cut-off reply) is no answer. */
export function lastBoxed(text: string): string | null {
  if (!text.includes('\\boxed') && !text.includes('\\fbox')) return null;
  const starts = [...text.matchAll(boxCommand)].map((match) => match.index + match[0].length);
  for (const start of starts.reverse()) {
    const content = boxContent(text, start);
    if (content !== null) return content.trim();
  }
  return null;
}

function boxContent(text: string, after: number): string | null {
  let start = after;
  while (text[start] === ' ') start += 1;
  if (text[start] !== '{') {
    const bare = /^[^\s${}\\]+/.exec(text.slice(start, start + bareLimit));
    return bare === null ? null : bare[0].replace(/[.,;]$/, '');
  }
  const end = closingBrace(text, start);
  return end < 0 ? null : text.slice(start + 1, end);
}

/** Index of the brace that closes the one at `open`, or -1. Escaped braces (`\{`) do not count. */
export function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    const c = text[i];
    if (c === '\\') i += 1;
    else if (c === '{') depth += 1;
    else if (c === '}') {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return -1;
}

/** What follows the last `####` on its line (GSM8K), or null. */
export function hashAnswer(text: string): string | null {
  const at = text.lastIndexOf('####');
  if (at < 0) return null;
  const line = text
    .slice(at + 4)
    .split('\n', 1)[0]!
    .trim();
  return line === '' ? null : line;
}

const announcement = /(?:final\s+answer|answer)\**\s*(?:is|are|=|:)\s*\**\s*:?/gi;

function announcedAnswer(text: string): string | null {
  let last: string | null = null;
  for (const match of text.matchAll(announcement)) {
    const line = text
      .slice(match.index + match[0].length)
      .trimStart()
      .split('\n', 1)[0]!;
    const answer = line
      .replace(/\*+/g, '')
      .replace(/(?<=[\s\S])\.\s+[A-Z][\s\S]*$/, '')
      .trim()
      .replace(/[.!]$/, '');
    if (answer !== '') last = answer.trim();
  }
  return last;
}

function bareAnswer(text: string): string | null {
  const line = text.trim();
  return line !== '' && line.length <= bareLimit && !line.includes('\n') ? line : null;
}
