/**
 * Rewrites an answer's text into one plain dialect of LaTeX before it is read: math delimiters, sizes and spacing go,
 * Unicode becomes commands, digit groups join. Never changes the value. Knows no grammar.
 */
const unicode: readonly (readonly [RegExp, string])[] = [
  [/[−–—﹣-]/g, '-'],
  [/[×✕]/g, '\\times '],
  [/÷/g, '\\div '],
  [/[·⋅∙•]/g, '\\cdot '],
  [/≤|⩽/g, '\\le '],
  [/≥|⩾/g, '\\ge '],
  [/≠/g, '\\ne '],
  [/[≈≃≅]/g, '\\approx '],
  [/≡/g, '\\equiv '],
  [/∞/g, '\\infty '],
  [/∪/g, '\\cup '],
  [/∩/g, '\\cap '],
  [/∈/g, '\\in '],
  [/∅/g, '\\emptyset '],
  [/±/g, '\\pm '],
  [/∓/g, '\\mp '],
  [/[°º˚]/g, '^\\circ '],
  [/ℝ/g, '\\mathbb{R}'],
  [/ℤ/g, '\\mathbb{Z}'],
  [/ℕ/g, '\\mathbb{N}'],
  [/∛/g, '\\sqrt[3]'],
  [/√/g, '\\sqrt '],
  [/π/g, '\\pi '],
  [/θ/g, '\\theta '],
  [/α/g, '\\alpha '],
  [/β/g, '\\beta '],
  [/γ/g, '\\gamma '],
  [/λ/g, '\\lambda '],
  [/φ|ϕ/g, '\\phi '],
  [/½/g, '\\frac{1}{2}'],
  [/¼/g, '\\frac{1}{4}'],
  [/¾/g, '\\frac{3}{4}'],
  [/⅓/g, '\\frac{1}{3}'],
  [/⅔/g, '\\frac{2}{3}'],
  [/[‘’′]/g, "'"],
  [/⟨/g, '\\langle '],
  [/⟩/g, '\\rangle '],
  [/[\u00a0\u2000-\u200b\u202f\u205f\u3000]/g, ' '],
  [/[€£¥₹₽₩]/g, ''],
  [/→/g, '\\to '],
];
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const subscripts = '₀₁₂₃₄₅₆₇₈₉';

const spacing =
  /\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|left|right|middle|[bB]igg?[lrm]?|boldmath|mathstrut|allowbreak|hfill|medspace|thinspace|negthinspace)(?![A-Za-z])\.?/g;

/** One line of plain LaTeX without delimiters. */
export function cleanAnswer(text: string): string {
  let s = text.trim();
  if (/[^\x20-\x7e]/.test(s)) s = fromUnicode(s);
  if (/^[\d\s.,/+*()-]*$/.test(s))
    return joinDigits(s)
      .trim()
      .replace(/[.,;]+$/, '');
  s = s
    .replace(/\*\*|__(?=\S)|`/g, (m) => (m === '__' ? m : ''))
    .replace(/\\\$/g, ' ')
    .replace(/\$/g, ' ')
    .replace(/\\[()[\]](?!\d*pt)/g, ' ')
    .replace(/\\[dtc]frac(?![A-Za-z])/g, '\\frac')
    .replace(/\\[dt]binom(?![A-Za-z])/g, '\\binom')
    .replace(spacing, ' ')
    .replace(/\\\\(?=[a-zA-Z]{2,})/g, (m: string, _at: number, all: string) => (all.includes('\\begin') ? m : '\\'))
    .replace(/,\\!\s*(?=\d{3})/g, '')
    .replace(/(?<=\d)\s*\{,\s*\}\s*(?=\d{3})/g, '')
    .replace(/(?<=\d)\s*\{\s*,\s*\}\s*(?=\d)/g, '')
    .replace(/(?<=\d)\\[,!; ]\s*(?=\d{3}(?!\d))/g, '')
    .replace(/(?<!\\)\\[,;:! ]|~/g, ' ')
    .replace(/\\q?quad(?![b-zB-Z])/g, ' , ')
    .replace(/\\(?:hspace|vspace|phantom|hphantom|label|tag)\*?\{[^{}]*\}/g, ' ')
    .replace(/\\%/g, '%')
    .replace(/(?<=[\d)}\]])(or|and)(?=[A-Za-z(\d\\])/g, ' $1 ')
    .replace(/\\(?:not\s*=|not=)/g, '\\ne ')
    .replace(/\s+/g, ' ')
    .trim();
  s = joinDigits(s);
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

function fromUnicode(text: string): string {
  let s = text.replace(/[⁰¹²³⁴-⁹]+/g, (run) => `^{${[...run].map((c) => superscripts.indexOf(c)).join('')}}`);
  s = s.replace(/[₀-₉]+/g, (run) => `_{${[...run].map((c) => subscripts.indexOf(c)).join('')}}`);
  for (const [pattern, command] of unicode) s = s.replace(pattern, command);
  return s.replace(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/，/g, ',');
}

/** What is left of an answer when only its letters, digits and signs count: for text answers and identical notation. */
export function canonicalText(clean: string): string {
  return clean
    .replace(
      /\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|operatorname\*?|textnormal|mathit|textsf|mathsf)\s*\{([^{}]*)\}/g,
      ' $1 ',
    )
    .replace(/\s/g, '')
    .replace(/["'.!?]+$/g, '')
    .toLowerCase();
}
