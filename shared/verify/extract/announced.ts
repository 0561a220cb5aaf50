/** Answers that a sentence announces: "the final answer is …", "**Answer:** …", "the correct option is …". */
import { endingOf } from './ending.ts';

/** A statement longer than this is searched for its value. */
const statementLimit = 120;
/** Announcements looked into, from the last backwards. */
const mostTried = 20;

export const finalAnnouncement: readonly RegExp[] = [
  /final\s+answer\b[^\n.:=]{0,100}?(?:\bis\b|\bare\b|:|=)\s*:?|final\s+answer\s*(?:\*\*|__)?\s*\n/gi,
];
export const announcements: readonly RegExp[] = [
  ...finalAnnouncement,
  /(?:\banswer\b|\bans\b|答案)\s*(?:\*\*|__)?\s*(?:\bis\b|\bare\b|[是为]|:|=|：)\s*[:：]?/gi,
  /\banswer\b[^\n.:=]{0,50}?(?:\bis\b|\bare\b|:)\s*:?/gi,
  /\b(?:correct|right|best)\s+(?:option|choice)\b[^\n.:=]{0,30}?(?:\bis\b|:)\s*:?/gi,
];

/** The last announcement of the first pattern that finds any. */
export function announcedIn(text: string, patterns: readonly RegExp[]): string | null {
  if (!/answer|\bans\b|答案|option|choice/i.test(text)) return null;
  for (const pattern of patterns) {
    const matches = [...text.matchAll(pattern)].slice(-mostTried);
    for (const match of matches.reverse()) {
      const from = match.index + match[0].length;
      const found = statement(text.slice(from, from + 4000));
      if (found !== null) return found;
    }
  }
  return null;
}

/** The answer at the start of what follows an announcement: its math span, or the sentence. */
function statement(rest: string): string | null {
  const lead = /^[\s*_`>:]*/.exec(rest)![0].length;
  const body = rest.slice(lead, lead + 2000);
  if (/^(?:#|\|)/.test(body)) return null;
  const display = /^["'(]?(\$\$[\s\S]+?\$\$|\\\[[\s\S]+?\\\]|\\\([^\n]+?\\\)|\$[^$\n]+\$)/.exec(body);
  const line = body.split('\n', 1)[0]!;
  if (display !== null) {
    const after = body.slice(display[0].length).split('\n', 1)[0]!;
    const more =
      /^(?:\s*(?:,|and|or|,\s*and|,\s*or)\s*\$[^$\n]+\$|\s*(?:\\?%|percent|degrees))+/.exec(after)?.[0] ?? '';
    return stripMath(display[1]! + more);
  }
  const sentence = line
    .replace(/\*\*|__|`/g, '')
    .replace(/<\|.*$/, '')
    .replace(/[.!?]\s+(?=[A-Z"(]|$).*$/s, '')
    .replace(/\s*\bI hope\b.*$/, '')
    .trim()
    .replace(/[.!。]$/, '')
    .replace(/^["'“]+|["'”]+$/g, '')
    .trim();
  if (sentence === '') return null;
  return sentence.length > statementLimit ? endingOf(sentence) : valueOf(sentence);
}

/** A statement with words and a value ("The largest $n$ is 34") gives its value; words alone stay as they are. */
export function valueOf(sentence: string): string {
  const leading =
    /^[-+−]?\\?\$?\d[\d,.]*(?:\/\d+)?\s*%?\s+[a-z][^,;]*?(?=,\s+[a-z]{3}|;|\s+(?:with|because|since|as)\b)/i.exec(
      sentence,
    );
  if (leading !== null) return leading[0].trim();
  const prose = sentence.replace(/\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[a-zA-Z]+(?:\{[^{}]*\})?/g, ' $ ');
  const words = prose.match(/(?<![A-Za-z])[A-Za-z]{2,}(?![A-Za-z(])|[\u4e00-\u9fff]/g) ?? [];
  const value = /\d|\$/.test(prose);
  const quantity = /^[-+−]?[\d.,/\s]+%?\s*[A-Za-z°²³^\d\s/]*(?:\s\([^()]*\))?$/.test(sentence);
  return words.length >= 2 && value && !quantity && !/^[^A-Za-z]*(?:[a-z]\s*=|\$)/.test(sentence)
    ? (endingOf(sentence) ?? sentence)
    : sentence;
}

/** Opening and closing delimiters of one math span. */
function stripMath(text: string): string {
  return text
    .replace(/\$\$?|\\[()[\]](?![A-Za-z])/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
