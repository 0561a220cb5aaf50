/** Answers marked by form: a GSM8K `#### n` line, an `<answer>` element, an `"answer"` field of a JSON reply. */
export interface Marked {
  content: string;
  /** Offset of the mark; the later of two marks counts. */
  at: number;
}

/** What follows the last `####` on its line (GSM8K), or null. */
export function hashAnswer(text: string): string | null {
  return hashMark(text)?.content ?? null;
}

export function hashMark(text: string): Marked | null {
  const at = text.lastIndexOf('####');
  if (at < 0) return null;
  const line = text
    .slice(at + 4)
    .split('\n', 1)[0]!
    .trim();
  return line === '' || line.startsWith('#') ? null : { content: line, at };
}

/** A value rather than a heading ("#### Step 3"). */
export const isValue = (line: string): boolean =>
  /^[-+−]?\\?\$?\s*[-+−]?\.?\d[\d.,/\s]*%?$|^\(?[A-J]\)?\.?$/.test(line.replace(/\*\*/g, ''));

const openTag = /<answer\b[^<>]{0,40}>/gi;

/** Content of the last closed `<answer>…</answer>`. */
export function tagMark(text: string): Marked | null {
  const close = text.toLowerCase().lastIndexOf('</answer>');
  if (close < 0) return null;
  const open = [...text.slice(0, close).matchAll(openTag)].pop();
  if (open === undefined) return null;
  const content = text.slice(open.index + open[0].length, close).trim();
  return content === '' ? null : { content, at: open.index };
}

const field = /["'](?:final[_ ]?)?answer["']\s*:\s*/gi;

/** The last `"answer": …` of a JSON reply: text unescaped, a list without its brackets, or a bare value. */
export function fieldMark(text: string): Marked | null {
  const match = [...text.matchAll(field)].pop();
  if (match === undefined) return null;
  const rest = text.slice(match.index + match[0].length, match.index + match[0].length + 2000);
  const quoted = /^"(?:[^"\\\n]|\\.)*"/.exec(rest)?.[0];
  const content =
    quoted === undefined ? (/^\[([^\]]*)\]/.exec(rest)?.[1] ?? /^[^,}\n]+/.exec(rest)?.[0] ?? '') : unescaped(quoted);
  return content.trim() === '' ? null : { content: content.trim().replace(/^'|'$/g, ''), at: match.index };
}

/** Models often leave LaTeX unescaped in JSON; then the text between the quotes counts as it stands. */
function unescaped(quoted: string): string {
  const plain = quoted.slice(1, -1);
  if (/\\[a-zA-Z]{2}/.test(plain) && !plain.includes('\\\\')) return plain;
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return plain;
  }
}
