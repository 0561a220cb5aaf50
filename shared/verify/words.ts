/** Answers that are words or a choice letter. Knows no mathematics. */
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
  const letter = /^\(?\s*([A-Z])\s*[).]?$/.exec(g)?.[1];
  if (letter === undefined) return null;
  const only = /^\(?\s*([A-Za-z])\s*[).:]?$/.exec(a)?.[1];
  if (only !== undefined) return only.toUpperCase() === letter;
  const labelled = /^(?:option|choice|answer)?\s*(?:\(\s*([A-J])\s*\)|([A-J])\s*[).:](?=\s|\\|$)|([A-J])$)/i.exec(a);
  const found = labelled?.[1] ?? labelled?.[2] ?? labelled?.[3];
  return found === undefined ? null : found.toUpperCase() === letter;
}

/** Equal as words: case, articles, punctuation and markup do not count; the letters and digits do. */
export function sameWords(gold: string, answer: string): boolean {
  const [g, a] = [wordsOf(gold), wordsOf(answer)];
  if (g.length === 0) return false;
  if (g.join(' ') === a.join(' ')) return true;
  const yesNo = /^(?:yes|no|true|false)$/;
  if (g.length === 1 && yesNo.test(g[0]!)) return a[0] === g[0] && !/^(?:or|and)$/.test(a[1] ?? '');
  const listed = (words: readonly string[]) =>
    [...words]
      .filter((word) => word !== 'and' && word !== 'or')
      .sort()
      .join(' ');
  const isList = (text: string) => /,|\band\b|\bor\b/.test(text) && !/[=\d+^_]/.test(text);
  return isList(gold) && isList(answer) && listed(g) === listed(a);
}

function wordsOf(text: string): string[] {
  const plain = unwrap(text).toLowerCase();
  if (!/[a-z]{2}/.test(plain) || /\\(?!text)[a-z]|[+*/^_=<>]/.test(plain)) return [];
  return plain
    .replace(/(?<=\d),(?=\d{3})/g, '')
    .split(/[^a-z0-9.']+/)
    .map((word) => word.replace(/^[.']+|[.']+$/g, ''))
    .filter((word) => word !== '' && !articles.has(word));
}

const articles = new Set(['the', 'a', 'an']);
