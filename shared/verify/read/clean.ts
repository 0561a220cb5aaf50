/**
 * Rewrites an answer's text into one plain dialect of LaTeX before it is read: math delimiters, sizes and spacing go,
 * Unicode becomes commands, digit groups join. Never changes the value. Knows no grammar.
 */
import { latexOfUnicode } from './unicode.ts';

const spacing =
  /\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|left|right|middle|[bB]igg?[lrm]?|boldmath|mathstrut|allowbreak|hfill|medspace|thinspace|negthinspace|nonumber)(?![A-Za-z])\.?/g;

type Rewrite = readonly [RegExp, string | ((...match: string[]) => string)];

/** In order; each keeps the value. */
const rewrites: readonly Rewrite[] = [
  // Markdown: `x**2` is a power, other stars are emphasis.
  [/(?<=[a-z\d)}\]])\*\*(?=[\d(a-z{-])/g, '^'],
  [/\*\*|`/g, ''],
  [/(?<![A-Za-z\d\\}])__(?=\S)/g, ''],
  [/&(lt|gt|le|ge|ne);/g, '\\$1 '],
  // Delimiters, currency, spacing.
  [/\\\$|\$/g, ' '],
  [/(?:\\text(?:rm)?\{\s*)?\b(?:USD|EUR|GBP|CAD|AUD|INR|Rs\.?)(?![A-Za-z])\s*\}?/g, ' '],
  [/\\\\\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm)\s*\]/g, '\\\\ '],
  [/\\[()[\]](?!\d*pt)/g, ' '],
  [/\\[dtc]frac(?![A-Za-z])/g, '\\frac'],
  [/\\[dt]binom(?![A-Za-z])/g, '\\binom'],
  [/\\overline\{\s*\\dot\{?(\d)\}?\s*\}/g, '\\overline{$1}'],
  [/\\dot\{?(\d)\}?(\d*)\\dot\{?(\d)\}?/g, '\\overline{$1$2$3}'],
  [/(?<=\.\d*)\\dot\{?(\d)\}?/g, '\\overline{$1}'],
  [/(?<=\d)\.(\d*)\((\d+)\)/g, '.$1\\overline{$2}'],
  [spacing, ' '],
  // Digit groups.
  [/,\\!\s*(?=\d{3})/g, ''],
  [/(?<=\d)\s*\{\s*,\s*\}\s*(?=\d{3}(?!\d))/g, ''],
  [/(?<=\d)\s*\{\s*,\s*\}\s*(?=\d)/g, '.'],
  [/(?<=\d)\\[,!; ]\s*(?=\d{3}(?!\d))/g, ''],
  [/(?<!\\)\\[,;:! ]|~/g, ' '],
  [/\\q?quad(?![b-zB-Z])/g, ' , '],
  [/\\(?:hspace|vspace|phantom|hphantom|label|tag)\*?\{[^{}]*\}/g, ' '],
  [/\\%/g, '%'],
  [/(?<=[\d)}\]])(or|and)(?=[A-Za-z(\d\\])/g, ' $1 '],
  // Notations.
  [/\\(?:not\s*=|not=)/g, '\\ne '],
  [/:=/g, '='],
  [/\b([a-zA-Z])\s*:\s*([a-z])\s*\\mapsto(?![A-Za-z])/g, '$1($2)='],
  [/(?<=\d)\s*[xX]\s*(?=10\s*\^)/g, '\\times '],
  [/(?:\{\}|\{)?\s*([_^])\s*\{?(\d+)\}?\s*\}?\s*C\s*_\s*\{?(\d+)\}?/g, '\\binom{$2}{$3}'],
  [/\\mu\s*\\(?:text|mathrm)\s*\{\s*/g, '\\text{u'],
  [/(?<=\d\s*(?:\\text\{k\})?)\s*\\Omega\s*$/g, '\\text{ohm}'],
  [/(?:repeating|recurring)\s*$/g, '\\ldots'],
  [/(?<=\d)\.{2,}/g, '\\ldots '],
  [/\s+/g, ' '],
];

/** One line of plain LaTeX without delimiters. */
export function cleanAnswer(text: string): string {
  let s = text.trim();
  if (/[^\x20-\x7e]/.test(s)) s = latexOfUnicode(s);
  if (/^[\d\s.,/+*()-]*$/.test(s) && !/\.\.|\*\*|\.\d*\(/.test(s))
    return joinDigits(s)
      .trim()
      .replace(/[.,;]+$/, '');
  if (!s.includes('\\begin')) s = s.replace(/\\\\(?=[a-zA-Z]{2,})/g, '\\');
  for (const [pattern, replacement] of rewrites) s = s.replace(pattern, replacement as string);
  s = joinDigits(s.trim());
  return s.replace(/(?:\s|\\\\|[.,;:])+$/, '').replace(/^[:,;.]\s+/, '');
}

/** Thousands: `1,234,567` and `1 234 567` where every group has three digits and no list could be meant. */
function joinDigits(s: string): string {
  return s
    .replace(/(?<![\d.,])([1-9]\d{0,2})((?:,\d{3})+)(?![\d]|,\d)/g, (m, head: string, rest: string, at: number) =>
      insideBrackets(s, at) ? m : head + rest.replace(/,/g, ''),
    )
    .replace(
      /(?<![\d.,\w])([1-9]\d{0,2})((?: \d{3})+)(?![\d/]|,\d)/g,
      (_, head: string, rest: string) => head + rest.replace(/ /g, ''),
    );
}

/** In `(1,234)` the comma separates; at top level it groups digits. */
function insideBrackets(s: string, at: number): boolean {
  let depth = 0;
  for (let i = 0; i < at; i += 1) {
    const c = s[i]!;
    if (c === '(' || c === '[') depth += 1;
    else if (c === ')' || c === ']') depth -= 1;
    else if (c === '\\' && s[i + 1] === '{') depth += 1;
    else if (c === '\\' && s[i + 1] === '}') depth -= 1;
  }
  return depth > 0;
}

/** What is left of an answer when only its letters, digits and signs count: for text answers and identical notation. */
export function canonicalText(clean: string): string {
  return clean
    .replace(
      /\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname\*?|textnormal|mathit|textsf|mathsf)\s*\{([^{}]*)\}/g,
      ' $1 ',
    )
    .replace(/\s/g, '')
    .replace(/["'.?]+$/g, '')
    .toLowerCase();
}
