/** Answers that are words, dates, times of day or a choice letter. Knows no mathematics. */
const wrappers =
  /\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname|textnormal|mathit|textsf)\s*\{([^{}]*)\}/g;
const unwrap = (text: string) =>
  text
    .replace(wrappers, ' $1 ')
    .replace(/\\[ ,;!]/g, ' ')
    .trim();

/** Whether both are the same choice; null where the gold is no choice letter or the answer shows none. */
export function sameChoice(gold: string, answer: string): boolean | null {
  const [g, a] = [unwrap(gold), unwrap(answer)];
  const several = /^[A-H]{2,8}$/.exec(g.replace(/[\s,]|\band\b/g, ''))?.[0];
  if (several !== undefined && /^[A-H\s,]+$/.test(g)) return sameLetters(several, a);
  const letter = (/^\(?\s*([A-Z])\s*[).]?$/.exec(g) ?? /^(?:\(\s*|(?=[A-J]\s*[).]))([A-J])\s*[).]\s+\S/.exec(g))?.[1];
  if (letter === undefined) return null;
  const only = /^\(?\s*([A-Za-z])\s*[).:]?$/.exec(a)?.[1];
  if (only !== undefined) return only.toUpperCase() === letter;
  if (/^\(?[A-J]\)?\s*(?:,|and|or|&)\s*\(?[A-J]\)?$/.test(a)) return false;
  const labelled =
    /^(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|answer)\s*(?:is)?\s*:?)?\s*(?:\(\s*([A-J])\s*\)|([A-J])\s*[).:](?=\s|\\|$|[^\sA-Za-z])|([A-J])$)/i.exec(
      a,
    );
  const praised = /(?:^|\s)\(?([A-J])\)?\s+is\s+(?:the\s+)?(?:correct|right|best)\b/.exec(a)?.[1];
  const found = labelled?.[1] ?? labelled?.[2] ?? labelled?.[3] ?? praised;
  return found === undefined ? null : found.toUpperCase() === letter;
}

/** Several right choices: the same letters in any order. Null where the answer is more than letters. */
function sameLetters(gold: string, answer: string): boolean | null {
  const letters = answer.replace(/[\s,()&]|\band\b/g, '');
  if (!/^[A-H]+$/.test(letters)) return null;
  const sorted = (word: string) => [...word].sort().join('');
  return sorted(letters) === sorted(gold);
}

interface Clock {
  minutes: number;
  half: string | null;
}
const clock = /^(\d{1,2}):([0-5]\d)\s*(?:([ap])\.?\s*m\.?)?$/;

/** Times of day, where at least one says a.m. or p.m.: minutes agree, and halves of the day where both name one. */
export function sameClock(gold: string, answer: string): boolean | null {
  const [g, a] = [clockOf(gold), clockOf(answer)];
  if (g === null || a === null || (g.half === null && a.half === null)) return null;
  return g.minutes === a.minutes && (g.half === null || a.half === null || g.half === a.half);
}

function clockOf(text: string): Clock | null {
  const match = clock.exec(unwrap(text).toLowerCase().trim());
  return match === null ? null : { minutes: Number(match[1]) * 60 + Number(match[2]), half: match[3] ?? null };
}

const months = /^(?:january|february|march|april|may|june|july|august|september|october|november|december)$/;

/** Equal as words: case, articles, punctuation and markup do not count; the letters and digits do. */
export function sameWords(gold: string, answer: string): boolean {
  const [g, a] = [wordsOf(gold), wordsOf(answer)];
  if (g.length === 0) return false;
  const verbAt = Math.max(...['is', 'are', 'was', 'be'].map((verb) => a.lastIndexOf(verb)));
  if ([a, a.slice(verbAt + 1)].some((words) => words.join(' ') === g.join(' '))) return true;
  const sorted = (words: readonly string[]) => [...words].sort().join(' ');
  if (g.length > 1 && g.some((word) => months.test(word))) return sorted(g) === sorted(a);
  const yesNo = /^(?:yes|no|true|false)$/;
  if (g.length === 1 && yesNo.test(g[0]!)) return a[0] === g[0] && !/^(?:or|and)$/.test(a[1] ?? '');
  const listed = (words: readonly string[]) => sorted(words.filter((word) => word !== 'and' && word !== 'or'));
  const isList = (text: string) => /,|\band\b|\bor\b/.test(text) && !/[=\d+^_]/.test(text);
  if (isList(gold) && isList(answer)) return listed(g) === listed(a);
  return g.length === 1 && saysOnly(g[0]!, a);
}

/** Words that may stand around a one-word answer ("even function", "choice of ellipse") without changing it. */
const fillers = new Set(
  'function functions number numbers type curve graph shape figure it its is was are answer student day on of'.split(
    ' ',
  ),
);
const saysOnly = (word: string, answer: readonly string[]) =>
  answer.includes(word) && answer.every((other) => other === word || fillers.has(other));

function wordsOf(text: string): string[] {
  const plain = unwrap(text)
    .replace(/^(?:\(\s*)?[A-J]\s*[).]\s+(?=\S{2})/, '')
    .toLowerCase();
  if (!/[a-z]{2}/.test(plain) || /\\(?!text)[a-z]|[+*/^_=<>]|(?<![a-z\d]\s?)-\s*[\d.]/.test(plain)) return [];
  return plain
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .replace(/(?<=\d)(?:st|nd|rd|th)\b/g, '')
    .split(/[^a-z0-9.']+/)
    .map((word) => word.replace(/^[.']+|[.']+$/g, ''))
    .filter((word) => word !== '' && !articles.has(word));
}

const articles = new Set(['the', 'a', 'an']);
