/**
 * Finds the final answer in raw model text. Knows nothing of mathematics: it returns the text of the answer.
 *
 * Order, each by the *last* place in the text (spec B3: contents are never de-duplicated): a complete `\boxed{…}`; a GSM8K
 * `#### n` line; an announced answer ("the final answer is …", "Answer: …"); a reply that is one short line; last resort:
 * what the last non-empty line ends in (a math span, the right side of "= …" or "is …", a number). Text after a closing
 * `</think>` counts alone where there is any.
 */
const boxCommand = /\\(?:boxed|fbox)(?![A-Za-z])/g;
/** A reply of at most this many characters on one line may be the bare answer. */
const bareLimit = 120;

/** The answer's text, trimmed, or null where the text shows none. Linear in the text's length. */
export function extractAnswer(text: string): string | null {
  if (text.length < 40 && /^\s*[+-]?[\d.,/]+\s*$/.test(text)) return text.trim();
  const whole = text.includes('<|') ? text.replace(/<\|[^|<>]{1,40}\|>(?:user|assistant|system)?/g, ' ') : text;
  const body = afterThinking(whole);
  const box = lastBox(body) ?? (body === whole ? null : lastBox(whole));
  if (box !== null && box.content !== '') {
    return (body.length - box.to > 20 ? announced(body.slice(box.to), announcements.slice(0, 1)) : null) ?? box.content;
  }
  return hashAnswer(body) ?? announced(body, announcements) ?? bareAnswer(body) ?? lastLine(body);
}

function afterThinking(text: string): string {
  const at = text.lastIndexOf('</think>');
  const rest = at < 0 ? '' : text.slice(at + 8);
  return rest.trim() === '' ? text : rest;
}

interface Box {
  content: string;
  /** Offsets of the command's backslash and of the end of the closing brace. */
  from: number;
  to: number;
}

/** Content of the last complete `\boxed{…}` by position; an unclosed one (a cut-off reply) is no answer. */
export function lastBoxed(text: string): string | null {
  return lastBox(text)?.content ?? null;
}

const lastBox = (text: string): Box | null => boxes(text, 1)[0] ?? null;

/** The last `limit` boxes in order of position; a box inside a box counts as its outer one. */
function boxes(text: string, limit: number): Box[] {
  if (!text.includes('\\boxed') && !text.includes('\\fbox')) return [];
  const matches = [...text.matchAll(boxCommand)];
  const found: Box[] = [];
  for (let i = matches.length - 1; i >= 0 && found.length < limit; i -= 1) {
    const start = matches[i]!.index;
    const box = boxAt(text, start, start + matches[i]![0].length);
    if (box === null) continue;
    const inner = found[0];
    if (inner !== undefined && inner.to <= box.to) found.shift();
    found.unshift(box);
  }
  return found;
}

function boxAt(text: string, from: number, after: number): Box | null {
  let start = after;
  while (text[start] === ' ' || text[start] === '\n') start += 1;
  if (text[start] === '{') {
    const end = closingBrace(text, start);
    return end < 0 ? null : { content: text.slice(start + 1, end).trim(), from, to: end + 1 };
  }
  const bare = /^(?:\\[dt]?frac\{[^{}]*\}\{[^{}]*\}|[^\s${}\\]+)/.exec(text.slice(start, start + bareLimit))?.[0];
  return bare === undefined ? null : { content: bare.replace(/[.,;]$/, ''), from, to: start + bare.length };
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
  return line === '' || line.startsWith('#') ? null : line;
}

const announcements = [
  /final\s+answer\b[^\n.:=]{0,100}?(?:\bis\b|\bare\b|:|=)\s*:?/gi,
  /(?:\banswer\b|\bans\b|答案)\s*(?:\bis\b|\bare\b|:|=|：)\s*:?/gi,
  /\banswer\b[^\n.:=]{0,50}?(?:\bis\b|\bare\b|:)\s*:?/gi,
];

/** The last announcement of the first pattern that finds any. */
function announced(text: string, patterns: readonly RegExp[]): string | null {
  if (!/answer|\bans\b|答案/i.test(text)) return null;
  for (const pattern of patterns) {
    let last: string | null = null;
    for (const match of text.matchAll(pattern)) {
      const found = statement(text.slice(match.index + match[0].length));
      if (found !== null) last = found;
    }
    if (last !== null) return last;
  }
  return null;
}

/** The answer at the start of what follows an announcement: its math span, or the sentence. */
function statement(rest: string): string | null {
  const lead = /^[\s*_`>:]*/.exec(rest)![0].length;
  const body = rest.slice(lead, lead + 2000);
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
    .replace(/[.!]$/, '')
    .replace(/^["'“]+|["'”]+$/g, '')
    .trim();
  if (sentence === '') return null;
  return sentence.length > bareLimit ? ending(sentence) : tail(sentence);
}

/** A statement with words and a value ("The largest $n$ is 34") gives its value; words alone stay as they are. */
function tail(sentence: string): string {
  const prose = sentence.replace(/\$[^$]*\$|\\\(.*?\\\)|\\\[.*?\\\]|\\[a-zA-Z]+(?:\{[^{}]*\})?/g, ' $ ');
  const words = prose.match(/(?<![A-Za-z])[A-Za-z]{2,}(?![A-Za-z(])/g) ?? [];
  const value = /\d|\$/.test(prose);
  const quantity = /^[-+]?[\d.,/\s]+%?\s*[A-Za-z°²³^\d\s/]*$/.test(sentence);
  return words.length >= 2 && value && !quantity && !/^[^A-Za-z]*(?:[a-z]\s*=|\$)/.test(sentence)
    ? (ending(sentence) ?? sentence)
    : sentence;
}

/** Opening and closing delimiters of one math span. */
function stripMath(text: string): string {
  return text
    .replace(/\$\$?|\\[()[\]](?![A-Za-z])/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function bareAnswer(text: string): string | null {
  const line = text.trim();
  if (line === '' || line.length > bareLimit || line.includes('\n')) return null;
  return tail(line.replace(/^\*\*|\*\*\.?$/g, ''));
}

function lastLine(text: string): string | null {
  const lines = text.trimEnd().split('\n');
  for (let i = lines.length - 1, seen = 0; i >= 0 && seen < 3; i -= 1) {
    const line = lines[i]!.trim();
    if (line === '' || /^(?:```|\\end\{|<\/?\w+>$|\\\]$|\$\$$)/.test(line)) continue;
    seen += 1;
    const found = ending(line);
    if (found !== null) return found;
  }
  return null;
}

const span = /\$\$?([^$]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]/g;
const verb =
  /(?:\bis\b|\bare\b|\bequals\b|\bbe\b|=|≈|\bget\b|\bof\b|\bby\b|\bto\b|\bgives?\b|\bpays?\b|\bhas\b|\bcosts?\b)\s*(?:exactly\s+|approximately\s+|about\s+|\$(?=\d))?/gi;

/** What a line ends in: its last math span, its last number with sign, or the text after its last verb. */
function ending(line: string): string | null {
  const money = line.replace(/\\?\$(?=\d[\d,.]*(?![^$]*\$))/g, '');
  const spans = [...money.matchAll(span)];
  const last = spans[spans.length - 1];
  const said =
    last === undefined
      ? null
      : /.*(?:\bis|\bare|=|\bequals|\bby)\s+([-−]?\d[\d,]*(?:\.\d+)?(?:\/\d+)?\s*%?)(?![\d/])/.exec(
          money.slice(last.index + last[0].length),
        );
  if (said !== null) return said[1]!.replace(/,$/, '');
  if (last !== undefined) {
    const percent = /^\s*(?:\\?%|percent)/.exec(money.slice(last.index + last[0].length));
    return `${(last[1] ?? last[2] ?? last[3])!.trim()}${percent === null ? '' : '%'}`;
  }
  const verbs = [...money.matchAll(verb)];
  const final = verbs[verbs.length - 1];
  const rest = final === undefined ? money : money.slice(final.index + final[0].length);
  const after = rest.trim().replace(/[.!]$/, '');
  if (
    final !== undefined &&
    after.length <= 60 &&
    /^[-+\\([{]?[\d.([\\]|^[-+]?[a-z]?[\d^*/+()-]+$|^[A-E]$|^\\?[a-z]?\s*[<>≤≥]/.test(after)
  )
    return after;
  const inequality = /[a-z]\s*(?:<=|>=|!=|<|>|≤|≥|\\le|\\ge|\\lt|\\gt|\\ne|\\leq|\\geq|\\neq)\s*[-\d\w./\\{}]+/.exec(
    money,
  );
  if (inequality !== null) return inequality[0];
  const numbers = [...money.matchAll(/(?<![\w.])[-−]?\d[\d,]*(?:\.\d+)?(?:\/\d+)?(?:\s*%)?/g)];
  const number = numbers[numbers.length - 1]?.[0];
  return number === undefined ? null : number.replace(/,$/, '');
}
