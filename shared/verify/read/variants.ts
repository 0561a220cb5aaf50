/**
 * The ways an answer's text can be read, most literal first: as it stands, then with a unit, a label, an explanation or
 * a qualifier taken off, with decimal commas, or as words. A variant never drops part of a value.
 */
import { notationOf } from './phrases.ts';
import { isUnitWord } from './units.ts';

export type Side = 'gold' | 'answer';

/** Distinct texts, `clean` itself first. `commas` allows decimal commas: not where both sides have one. */
export function variantsOf(clean: string, side: Side, commas: boolean): string[] {
  const found = new Set([clean]);
  const bare = withoutQualifier(clean);
  for (const base of bare === null ? [clean] : [clean, bare]) {
    for (const rewrite of rewrites) {
      const text = rewrite === decimalComma && !commas ? null : rewrite(base, side);
      if (text !== null && text.trim() !== '') found.add(text.trim());
    }
  }
  return [...found];
}

type Rewrite = (clean: string, side: Side) => string | null;

const wrapper = /\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|textnormal)\s*\{([^{}]*)\}/g;

const asPhrase: Rewrite = (clean) => notationOf(clean.replace(wrapper, ' $1 ').replace(/^- (?=[a-z])/i, '-'));

/** Two runs of digits with a comma between: a decimal comma, or a list of two. */
export const hasCommaPair = (clean: string): boolean => commaPair.test(clean.replace(/\s(?=,)/g, ''));
const commaPair = /^([+-]?(?:0|[1-9]\d*)),(\d+)$/;

/** `2,74`: on the gold side only where it can hardly be a list. */
const decimalComma: Rewrite = (clean, side) => {
  const match = commaPair.exec(clean.replace(/\s(?=,)/g, ''));
  if (match === null) return null;
  const [, whole, places] = match;
  const zero = whole === '0' || whole === '-0';
  if (places!.length === 3 && !zero) return null;
  return side === 'answer' || zero || places!.length === 2 ? `${whole}.${places}` : null;
};

/** `2 1/3` and `2 and 1/3`. */
const mixedNumber: Rewrite = (clean) => {
  const match =
    /^(-?)(\d+)\s+(?:and\s+)?(\d+)\s*\/\s*(\d+)(?!\d)(.*)$/.exec(clean) ??
    /^(-?)(\d+)\s*(?:and|\\text\s*\{\s*and\s*\})\s*\\frac\s*\{?(\d+)\}?\s*\{?(\d+)\}?(.*)$/.exec(clean);
  return match === null || Number(match[3]) >= Number(match[4])
    ? null
    : `${match[1]}(${match[2]}+${match[3]}/${match[4]})${match[5]}`;
};

/** `1,2; 3,4` is a list of pairs. */
const semicolonPairs: Rewrite = (clean) => {
  const groups = clean.split(/\s*;\s*/);
  const pairs = groups.length > 1 && groups.length < 60 && groups.every((g) => /^[^()[\]{}]*,[^()[\]{}]*$/.test(g));
  return pairs ? groups.map((group) => `(${group})`).join(',') : null;
};

/** `15cm`, `5 apples`: letters that cannot be factors. */
const gluedUnit: Rewrite = (clean) => {
  const match = /^([-+]?[\d.,\s]*\d)\s*([a-zA-Z]+)\s*(?:\^\s*\{?\s*([23])\s*\}?)?(?:\s+each)?$/.exec(clean);
  if (match === null) return null;
  const word = match[2]!.toLowerCase();
  const letter = word === 'm' || (match[3] === undefined && /[sgh]/.test(word));
  const unit = word.length > 1 ? isUnitWord(word) || word.length > 3 : letter;
  return unit && !/^(?:sqrt|infty|infinity|dozen|million|billion|thousand|hundred)/.test(word)
    ? match[1]!.replace(/,/g, '')
    : null;
};

/** `(B) 17`: the content of a labelled choice. */
const labelled: Rewrite = (clean) =>
  /^(?:\\(?:text|textbf|mathrm)\{\s*\(?[A-Ja-j][).:]?\s*\}|\([A-J]\)|[A-J][).:])\s*\\?\s*(?=\S)(.+)$/.exec(
    clean,
  )?.[1] ?? null;

/** `The value: 12`. */
const named: Rewrite = (clean) => /^[^:\d\\]{3,}:\s*(.+)$/.exec(clean)?.[1] ?? null;

/** `a to b` as a ratio. */
const ratioWords: Rewrite = (clean) => {
  const match = /^([\d.]+)\s*(?:\\text\{\s*to\s*\}|to)\s*([\d.]+)$/.exec(clean);
  return match === null ? null : `${match[1]}:${match[2]}`;
};

/** `]0,1[` and `[0,1[`: the bracket that faces away is open. */
const outwardBrackets: Rewrite = (clean) => {
  const interval = /([\][(])([^\][()]*[,;][^\][()]*)([\][)])/g;
  if (!/^[\][(][^\][()]*[,;][^\][()]*[\][)]/.test(clean)) return null;
  if (!/^\s*(?:\\cup\s*)*$/.test(clean.replace(interval, ''))) return null;
  return clean.replace(interval, (_, open: string, ends: string, close: string) => {
    const [left, right] = [open === ']' ? '(' : open, close === '[' ? ')' : close];
    return `${left}${ends.replace(';', ',')}${right}`;
  });
};

/** `204 minutes (3 hours and 24 minutes)`, `5, since …`: what explains the value. */
const unexplained: Rewrite = (clean) => {
  const tail = /(?<=[\w}%)\]])\s+\(((?:[^()]|\([^()]*\))*)\)$/.exec(clean);
  const cut = (tail !== null && saysWords(tail[1]!) ? clean.slice(0, tail.index) : clean)
    .replace(/(?<=\S)\s*(?:,|\\text\s*\{\s*,?)?\s*\b(?:because|since|which|so that)\b.*$/i, '')
    .trim();
  return cut === clean || cut === '' ? null : cut;
};

const mathWord =
  /^(?:sqrt|cbrt|root|frac|arc\w+|a?sin|a?cos|a?tan|sec|csc|cot|sinh|cosh|tanh|log|exp|max|min|gcd|lcm|abs|mod|infty|infinity|theta|alpha|beta|gamma|delta|lambda|phi|omega|sigma|epsilon)$/i;

/** Words rather than a factor: `x (theta)` and `3 (sqrt3)` are formulas. */
function saysWords(text: string): boolean {
  const words = text.replace(wrapper, ' $1 ').replace(/\\[A-Za-z]+/g, ' ').match(/[A-Za-z]{3,}/g); // prettier-ignore
  return words !== null && words.some((word) => !mathWord.test(word));
}

const rounded: Rewrite = (clean) =>
  /^(?:\\text\{)?\s*(?:approximately|about|roughly|exactly|around|nearly)\s*\}?\s*(?=\S)(.+)$/i.exec(clean)?.[1] ??
  null;

/** A constant of integration may have any name. */
const integrationConstant: Rewrite = (clean, side) =>
  side === 'answer' && /\+\s*[cKk]$/.test(clean) ? clean.replace(/[cKk]$/, 'C') : null;

const rewrites: readonly Rewrite[] = [
  asPhrase,
  integrationConstant,
  decimalComma,
  mixedNumber,
  semicolonPairs,
  gluedUnit,
  labelled,
  named,
  ratioWords,
  outwardBrackets,
  unexplained,
  rounded,
  withoutQualifier,
];

const quantifier =
  /\s*(?:,|\\text\{\s*,?)?\s*\(?\s*(?:\\forall(?![A-Za-z])|(?:\\text\s*\{\s*)?\b(?:for|where|with)\b(?:\s+(?:all|any|every|each|some))?).*$/;
const membership =
  /\s*[,(]\s*\(?\s*([a-z])\s*\\in\s*\\math(?:bb|bf|rm)\s*\{?\s*[ZNQR]\s*\}?(?:\s*[_^]\s*\{?[^{}\s]*\}?)?\s*\)?\s*$/;

/** Off with `for all x`, `where k is an integer`, `(k ∈ ℤ)`; an integer parameter is renamed `k`. */
function withoutQualifier(clean: string): string | null {
  if (!/\\forall|\\in|\bfor\b|\bwhere\b|\bwith\b/.test(clean)) return null;
  const member = membership.exec(clean);
  const said = member === null ? /\bwhere\s*\}?\s*\$?\s*([a-z])\s*(?:\\text\s*\{)?\s*is (?:an|any) /.exec(clean) : null;
  const parameter = member?.[1] ?? said?.[1];
  const cut = clean.replace(member === null ? quantifier : membership, '').trim();
  if (cut === clean || !/[\d\\=<>^]|^[a-z]$/i.test(cut)) return null;
  return parameter === undefined || parameter === 'k' || /(?<![A-Za-z\\])k(?![A-Za-z])/.test(cut)
    ? cut
    : cut.replace(new RegExp(`(?<![A-Za-z\\\\])${parameter}(?![A-Za-z])`, 'g'), 'k');
}

/**
 * What stands right of the last `=` outside brackets, for texts whose left side no reading understands; null where that
 * side calculates or holds an item of its own: the right one alone would then say less.
 */
export function rightSide(clean: string): string | null {
  const at = lastEquals(clean);
  if (at < 0) return null;
  const left = clean.slice(0, at);
  const several = /[,;]/.test(left.replace(/\{[^{}]*\}|\([^()]*\)/g, ''));
  return several || /[+-]|\\frac/.test(left) ? null : clean.slice(at + 1).trim() || null;
}

function lastEquals(clean: string): number {
  let depth = 0;
  for (let i = clean.length - 1; i > 0; i -= 1) {
    const c = clean[i]!;
    if (c === '}' || c === ')' || c === ']') depth += 1;
    else if (c === '{' || c === '(' || c === '[') depth -= 1;
    else if (c === '=' && depth === 0 && !'<>!\\'.includes(clean[i - 1]!)) return i;
  }
  return -1;
}
