/**
 * Finds the final answer in raw model text. Knows nothing of mathematics: it returns the text of the answer.
 *
 * Order: the last explicit mark by position (a complete `\boxed{…}`, an `<answer>` element, a GSM8K `#### n` line), which
 * a later "final answer" sentence overrides; the `answer` field of a JSON reply; an announced answer ("the answer is …");
 * a reply that is one short line; last resort: what the last lines end in. Spec B3: contents are never de-duplicated.
 * After a closing `</think>` the rest counts alone; thinking that never closed gives no answer but an explicit mark.
 */
import { announcedIn, announcements, finalAnnouncement, valueOf } from './extract/announced.ts';
import { lastBox } from './extract/boxes.ts';
import { emphasised, lastLineAnswer } from './extract/ending.ts';
import { fieldMark, hashMark, isValue, tagMark } from './extract/marked.ts';

export { closingBrace, joinedBoxes, lastBoxed } from './extract/boxes.ts';
export { hashAnswer } from './extract/marked.ts';

/** A reply of at most this many characters on one line may be the bare answer. */
const bareLimit = 120;
/** An announcement this close behind a box only repeats it. */
const repeatedWithin = 20;

/** The answer's text, trimmed, or null where the text shows none. Linear in the text's length. */
export function extractAnswer(text: string): string | null {
  if (text.length < 40 && /^\s*[+-]?[\d.,/]+\s*$/.test(text)) return text.trim();
  const whole = withoutMarks(text);
  const { body, finished } = afterThinking(whole);
  const marked = markedAnswer(body);
  if (marked !== null || !finished) return marked;
  const said = fieldMark(body)?.content ?? announcedIn(body, announcements) ?? bareAnswer(body);
  return said ?? (body === whole ? null : markedAnswer(whole)) ?? lastLineAnswer(body);
}

/** Without control tokens of chat templates and signs that end a proof. */
function withoutMarks(text: string): string {
  const plain = text.includes('<|') ? text.replace(/<\|[^|<>]{1,40}\|>(?:user|assistant|system)?/g, ' ') : text;
  return plain.replace(/\$\s*\\(?:blacksquare|square|Box|qed|checkmark)\s*\$|\\(?:blacksquare|qed)(?![A-Za-z])|[∎■□✓✔✅🎉]/gu, ' '); // prettier-ignore
}

function afterThinking(text: string): { body: string; finished: boolean } {
  const at = text.lastIndexOf('</think>');
  if (at < 0) return { body: text, finished: !/^\s*<think>/.test(text) };
  const rest = text.slice(at + 8);
  return rest.trim() === '' ? { body: text, finished: true } : { body: rest, finished: true };
}

/** The last explicit mark; what stands inside an `<answer>` is read like a reply of its own. */
function markedAnswer(body: string): string | null {
  const [box, tag, hash] = [lastBox(body), tagMark(body), hashMark(body)];
  const filled = box !== null && box.content !== '' ? box : null;
  if (tag !== null && (filled === null || filled.from < tag.at)) return extractAnswer(tag.content) ?? tag.content;
  if (hash !== null && (filled === null || (filled.from < hash.at && isValue(hash.content)))) return hash.content;
  if (filled === null) return null;
  const later = body.length - filled.to > repeatedWithin ? announcedIn(body.slice(filled.to), finalAnnouncement) : null;
  return later ?? filled.content;
}

function bareAnswer(text: string): string | null {
  const line = text.trim();
  if (line === '' || line.length > bareLimit || line.includes('\n')) return null;
  return emphasised(line) ?? valueOf(line.replace(/\*\*/g, ''));
}
