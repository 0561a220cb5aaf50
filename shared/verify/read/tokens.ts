/**
 * Splits cleaned answer text (LaTeX or plain) into tokens. Decides what a run of letters is: a function, a unit, a word
 * or a product of one-letter symbols. Knows no grammar.
 */
import { closingBrace } from '../extract-answer.ts';
import { isUnitWord } from './units.ts';

export interface Token {
  /** `op` covers signs, brackets, separators and commands with arguments (`frac`, `sqrt`, …). */
  t: 'number' | 'symbol' | 'call' | 'op' | 'text' | 'const' | 'named';
  v: string;
  /** White space stood before it. */
  gap: boolean;
}

export const functions = new Set(
  (
    'sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln log lg exp max min gcd lcm arg Re Im det asin acos ' +
    'atan sign sgn cis'
  ).split(' '),
);
const constants: Record<string, string> = {
  pi: 'pi',
  infty: 'infinity',
  infinity: 'infinity',
  inf: 'infinity',
  oo: 'infinity',
};
const operators: Record<string, string> = {
  cdot: '*', times: '*', ast: '*', div: '/', pm: '+-', mp: '-+', le: '<=', leq: '<=', leqslant: '<=', leqq: '<=', ge: '>=',
  geq: '>=', geqslant: '>=', geqq: '>=', lt: '<', gt: '>', ne: '!=', neq: '!=', approx: '~', simeq: '~', sim: '~', cong: '~',
  doteq: '~', equiv: 'mod', in: 'in', cup: 'cup', cap: 'cap', setminus: 'setminus', backslash: 'setminus', circ: 'circ',
  degree: 'circ', degrees: 'circ', deg: 'circ', lfloor: 'lfloor', rfloor: 'rfloor', lceil: 'lceil', rceil: 'rceil', vert: '|', lvert: '|',
  rvert: '|', mid: '|', langle: '<<', rangle: '>>', lbrace: '\\{', rbrace: '\\}', lbrack: '[', rbrack: ']', to: '=>',
  rightarrow: '=>', Rightarrow: '=>', implies: '=>', iff: '=>', ldots: 'dots', dots: 'dots', cdots: 'dots', dotsc: 'dots',
  choose: 'choose', colon: ':', land: 'and', wedge: 'and', lor: 'or', vee: 'or', prime: "'", percent: '%', pct: '%', percentage: '%',
  and: 'and', or: 'or', over: 'over', sum: 'sum', prod: 'prod', int: 'int', bmod: 'pmod', pmod: 'pmod', mod: 'pmod',
}; // prettier-ignore
const withArguments = new Set([
  'frac',
  'sqrt',
  'binom',
  'begin',
  'end',
  'overline',
  'underline',
  'bar',
  'pmod',
  'cbrt',
]);
const fonts = new Set([
  'mathbf',
  'boldsymbol',
  'mathit',
  'mathcal',
  'vec',
  'hat',
  'widehat',
  'bm',
  'mathsf',
  'tilde',
  'overrightarrow',
  'boxed',
  'fbox',
  'ensuremath',
  'mathfrak',
  'mathscr',
  'underbrace',
  'color',
]);
const textual = new Set([
  'text',
  'textbf',
  'textit',
  'textrm',
  'mathrm',
  'mbox',
  'operatorname',
  'textnormal',
  'textsf',
  'hbox',
  'emph',
  'rm',
  'texttt',
]);
const namedSets: Record<string, string> = { emptyset: 'empty', varnothing: 'empty' };

/** Tokens of the text; throws a plain Error on what is no mathematics (the caller then compares as text). */
export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let gap = false;
  const push = (t: Token['t'], v: string) => {
    tokens.push({ t, v, gap });
    gap = false;
  };
  const before = () => tokens[tokens.length - 1];
  while (at < text.length) {
    if (tokens.length > 600) throw new Error('too long');
    const c = text[at]!;
    if (c === ' ') {
      gap = true;
      at += 1;
    } else if (/[\d.]/.test(c)) {
      const run = /^(?:\d+\.?\d*|\.\d+)/.exec(text.slice(at));
      if (run === null) {
        const dots = /^\.\.+/.exec(text.slice(at));
        if (dots !== null) push('op', 'dots');
        at += dots?.[0].length ?? 1;
        continue;
      }
      push('number', run[0]);
      at += run[0].length;
      const exponent = /^[eE]([+-]?\d+)(?![\w.])/.exec(text.slice(at));
      if (exponent !== null && /^\d/.test(run[0])) {
        push('op', '*');
        push('number', '10');
        push('op', '^');
        if (exponent[1]!.startsWith('-')) push('op', '-');
        push('number', exponent[1]!.replace(/^[+-]/, ''));
        at += exponent[0].length;
      }
    } else if (c === '\\') {
      at = command(text, at, push, before);
    } else if (/[A-Za-z]/.test(c)) {
      const run = /^[A-Za-z]+/.exec(text.slice(at))![0];
      const owner = run.length > 2 ? (/^'s?(?= |$)/.exec(text.slice(at + run.length))?.[0].length ?? 0) : 0;
      letters(run, gap, before(), push, text.slice(at + run.length), tokens);
      at += run.length + owner;
    } else {
      const two = /^(?:<=|>=|!=|\*\*|==|\+-|\+\/-|=>|->)/.exec(text.slice(at))?.[0];
      const plain: Record<string, string> = { '**': '^', '==': '=', '+/-': '+-', '->': '=>' };
      if (two !== undefined) push('op', plain[two] ?? two);
      else if ('+-*/^_=<>(){}[],;:|!%&\'"?'.includes(c)) {
        if (c !== '"' && c !== '?') push('op', c);
      } else throw new Error(`sign ${c}`);
      at += two?.length ?? 1;
    }
  }
  return tokens;
}

type Push = (t: Token['t'], v: string) => void;

function command(text: string, at: number, push: Push, before: () => Token | undefined): number {
  const name = /^\\([A-Za-z]+|.)/.exec(text.slice(at))?.[1];
  if (name === undefined) return at + 1;
  const next = at + 1 + name.length;
  if (name === '{' || name === '}') push('op', `\\${name}`);
  else if (name === '\\') push('op', '\\\\');
  else if (name === '|') push('op', '|');
  else if (name === '&') push('op', 'and');
  else if (textual.has(name)) return textGroup(text, next, push, before);
  else if (fonts.has(name)) return boldSet(name, text, next, push, before) ?? next;
  else if (name === 'mathbb' || name === 'Bbb') {
    const set = /^\s*\{?\s*([A-Za-z])\s*\}?/.exec(text.slice(next));
    if (set === null) throw new Error('mathbb');
    push('named', set[1]!);
    return next + set[0].length;
  } else if (Object.hasOwn(namedSets, name)) push('named', namedSets[name]!);
  else if (withArguments.has(name)) push('op', name);
  else if (functions.has(name)) push('call', name);
  else if (Object.hasOwn(operators, name)) push('op', operators[name]!);
  else if (Object.hasOwn(constants, name)) push('const', constants[name]!);
  else if (name === 'angle' || name === 'triangle') push('symbol', name);
  else if (name === 'quadx') push('symbol', 'x');
  else if (
    /^(?:alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega|ell|imath)$/.test(
      name,
    )
  )
    push('symbol', name.replace(/^var/, ''));
  else if (!/[A-Za-z]/.test(name)) return next;
  else throw new Error(`command ${name}`);
  return next;
}

/** `\mathbf{R}` alone or behind ∈ is the set of reals; elsewhere a font says nothing. */
function boldSet(name: string, text: string, next: number, push: Push, before: () => Token | undefined): number | null {
  if (name !== 'mathbf' && name !== 'bm') return null;
  const set = /^\s*\{?\s*([RZNQC])\s*\}?(?=\s*($)?)/.exec(text.slice(next));
  if (set === null || !(before()?.v === 'in' || (before() === undefined && set[2] !== undefined))) return null;
  push('named', set[1]!);
  return next + set[0].length;
}

/** `\text{…}`: a number, a separator word, a one-letter symbol, or words. */
function textGroup(text: string, from: number, push: Push, before: () => Token | undefined): number {
  let open = from;
  while (text[open] === '*' || text[open] === ' ') open += 1;
  if (text[open] !== '{') return from;
  const close = closingBrace(text, open);
  if (close < 0) throw new Error('unclosed text');
  const content = text.slice(open + 1, close).trim();
  const word = content.toLowerCase().replace(/^[,\s]+|[,.\s]+$/g, '');
  const operand = isOperand(before());
  if (word === 'and' || word === 'or' || content === ',') push('op', content === ',' ? ',' : word);
  else if (operand && isUnitWord(word) && !/^[a-cj-l]$/.test(content)) push('text', content);
  else if (functions.has(content)) push('call', content);
  else if (word === '') push('op', 'space');
  else if (/^(?:%|percent|pct|percentage)$/.test(word)) push('op', '%');
  else if (/^(?:°|degrees?)$/.test(word)) push('op', 'circ');
  else if (/^[A-Za-z]$/.test(content) && before()?.t !== 'number') pushLetter(content, push);
  else if (/^\(\s*[A-Za-z]\s*\)$/.test(content)) {
    push('op', '(');
    push('symbol', content.replace(/[^A-Za-z]/g, ''));
    push('op', ')');
  } else if (/^[-+\d.,/()%\s]+$/.test(content) && /\d/.test(content)) {
    for (const token of tokenise(content)) push(token.t, token.v);
  } else push('text', content);
  return close + 1;
}

const isOperand = (before: Token | undefined) =>
  before !== undefined &&
  (before.t === 'number' || before.t === 'symbol' || before.t === 'text' || before.v === ')' || before.v === '}');

function pushLetter(letter: string, push: Push): void {
  if (letter === 'e' || letter === 'i') push('const', letter);
  else push('symbol', letter);
}

/** A run of plain letters. */
function letters(
  run: string,
  gap: boolean,
  before: Token | undefined,
  push: Push,
  after: string,
  all: readonly Token[],
): void {
  const lower = run.toLowerCase();
  const operand = isOperand(before);
  if (Object.hasOwn(constants, lower) && run.length > 1) return push('const', constants[lower]!);
  if (before?.t === 'number' && gap && (lower === 'min' || lower === 'sec')) return push('text', run);
  if (/^(?:min|max)$/.test(lower) && /^\s*\.|^$/.test(after)) return push('text', run);
  if (functions.has(run)) return push('call', run);
  if (lower === 'sqrt' || lower === 'cbrt') return push('op', lower);
  if (lower === 'and' || lower === 'or' || lower === 'percent' || lower === 'pct' || lower === 'percentage')
    return push('op', operators[lower]!);
  if ((lower === 'degrees' || lower === 'degree' || lower === 'deg') && operand) return push('op', 'circ');
  if (lower === 'mod' && operand) return push('op', 'pmod');
  if (lower === 'in' && before?.t === 'symbol') return push('op', 'in');
  if (lower === 'u' || lower === 'union') if (before?.v === ')' || before?.v === ']') return push('op', 'cup');
  const number = before?.t === 'number' || (before?.t === 'text' && all.some((token) => token.t === 'number'));
  if (before?.t === 'number' && /^(?:sin|cos|tan|log|ln)[xyzt]$/.test(run))
    return gluedCall(run.slice(0, -1), run, push);
  if (run.length > 1 && number && (isUnitWord(lower) || run.length > 3)) return push('text', run);
  if (
    run.length === 1 &&
    before?.t === 'number' &&
    gap &&
    isUnitWord(lower) &&
    /^\s*(?:\^\s*\{?\s*[23]\s*\}?\s*)?(?:$|,)/.test(after) &&
    !'xyznabc'.includes(run) &&
    standsAlone(all)
  ) {
    return push('text', run);
  }
  const prefix = ['sqrt', 'arcsin', 'arccos', 'arctan', 'sin', 'cos', 'tan', 'ln', 'log'].find((name) =>
    run.startsWith(name),
  );
  if (prefix !== undefined && run.length <= prefix.length + 2) return gluedCall(prefix, run, push);
  if (run.length > 3) return push('text', run);
  if (run === 'or') return push('op', 'or');
  for (const letter of run.endsWith('pi') ? run.slice(0, -2) : run) pushLetter(letter, push);
  if (run.endsWith('pi') && run.length > 2) push('const', 'pi');
}

/** `sinx`: a function and the letters glued to it. */
function gluedCall(name: string, run: string, push: Push): void {
  push(name === 'sqrt' ? 'op' : 'call', name);
  for (const letter of run.slice(name.length)) pushLetter(letter, push);
}

/** Whether the number at the end is an item of its own (`5 m, 3 m`), no term of a formula (`t^2 - 3 t`). */
function standsAlone(all: readonly Token[]): boolean {
  const before = all.slice(0, -1);
  const sign = before[before.length - 1]?.v;
  if (sign === '-' || sign === '+') before.pop();
  return before.length === 0 || [',', 'and', 'or', '=', '~'].includes(before[before.length - 1]!.v);
}
