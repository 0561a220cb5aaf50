/**
 * Reads an answer into a `Node`: lists, relations, set operations, then formulas by precedence climbing. LaTeX and plain
 * text share one grammar. Anything it cannot read throws a plain Error, and the caller compares as text instead.
 */
import type { Node, Relation } from './expression.ts';
import { divide, integer, parseDecimal } from './rational.ts';
import { tokenise } from './tokens.ts';
import type { Token } from './tokens.ts';

interface Cursor {
  tokens: readonly Token[];
  at: number;
  /** Open `|…|` pairs: a bar then closes instead of opening. */
  bars: number;
  depth: number;
}

const relations: Record<string, Relation> = {
  '=': '=', '<': '<', '>': '>', '<=': '<=', '>=': '>=', '!=': '!=', '~': '~', in: 'in', mod: 'mod', '=>': '=',
}; // prettier-ignore
const separators = new Set([',', ';', 'and', 'or']);

/** The answer as a tree. Throws where the text is not mathematics. */
export function parseAnswer(clean: string): Node {
  const cursor: Cursor = { tokens: tokenise(clean).filter((token) => token.v !== 'space'), at: 0, bars: 0, depth: 0 };
  if (cursor.tokens.length === 0) throw new Error('empty');
  const node = parseList(cursor, () => cursor.at >= cursor.tokens.length);
  if (cursor.at < cursor.tokens.length) throw new Error(`left over: ${cursor.tokens[cursor.at]!.v}`);
  return node;
}

const peek = (c: Cursor) => c.tokens[c.at];
const isOp = (c: Cursor, v: string) => c.tokens[c.at]?.t === 'op' && c.tokens[c.at]!.v === v;
const take = (c: Cursor, v: string) => isOp(c, v) && (c.at += 1) > 0;
function expect(c: Cursor, v: string): void {
  if (!take(c, v)) throw new Error(`expected ${v}`);
}

/** Items parted by commas, semicolons, `and`, `or`; one item alone is returned as itself. */
function parseList(c: Cursor, ended: () => boolean): Node {
  const items: Node[] = [];
  let joiner: ',' | 'or' | 'and' = ',';
  while (!ended()) {
    const token = peek(c)!;
    if (token.t === 'op' && separators.has(token.v)) {
      if (token.v === 'or' || (token.v === 'and' && joiner === ',')) joiner = token.v;
      c.at += 1;
      continue;
    }
    if (items.length >= 200) throw new Error('too many items');
    items.push(parseRelation(c));
    const next = peek(c);
    if (!ended() && next !== undefined && !(next.t === 'op' && separators.has(next.v)))
      throw new Error(`unexpected ${next.v}`);
  }
  if (items.length === 0) throw new Error('empty list');
  return items.length === 1 ? items[0]! : { k: 'list', joiner, items };
}

function parseRelation(c: Cursor): Node {
  const sides: Node[] = [];
  const ops: Relation[] = [];
  if (isOp(c, '=') || isOp(c, '~')) c.at += 1;
  sides.push(parseRatio(c));
  for (;;) {
    const token = peek(c);
    const op = token?.t === 'op' && Object.hasOwn(relations, token.v) ? relations[token.v] : undefined;
    if (op === undefined) break;
    c.at += 1;
    if (token!.v === '=>') while (take(c, '=>'));
    ops.push(op);
    sides.push(parseRatio(c));
  }
  return ops.length === 0 ? sides[0]! : { k: 'relation', sides, ops };
}

function parseRatio(c: Cursor): Node {
  const items = [parseSetOperations(c)];
  while (take(c, ':')) items.push(parseSetOperations(c));
  return items.length === 1 ? items[0]! : { k: 'ratio', items };
}

function parseSetOperations(c: Cursor): Node {
  let left = parseSum(c);
  for (;;) {
    const op = take(c, 'cup') ? 'union' : take(c, 'cap') ? 'intersection' : take(c, 'setminus') ? 'minus' : null;
    if (op === null) return left;
    left = { k: 'setOp', op, left, right: parseSum(c) };
  }
}

function parseSum(c: Cursor): Node {
  if ((c.depth += 1) > 60) throw new Error('too deep');
  let left: Node | null = null;
  for (;;) {
    if (take(c, '+')) left = left === null ? parseProduct(c) : sum(left, parseProduct(c));
    else if (take(c, '-')) {
      const right: Node = { k: 'negate', of: parseProduct(c) };
      left = left === null ? right : sum(left, right);
    } else if (isOp(c, '+-') || isOp(c, '-+')) {
      const sign = peek(c)!.v === '+-' ? 1 : -1;
      c.at += 1;
      left = { k: 'plusMinus', sign, left, right: parseProduct(c) };
    } else if (left === null) left = parseProduct(c);
    else break;
  }
  c.depth -= 1;
  return left;
}

const sum = (left: Node, right: Node): Node => ({
  k: 'add',
  items: left.k === 'add' ? [...left.items, right] : [left, right],
});
const product = (left: Node, right: Node): Node => ({
  k: 'multiply',
  items: left.k === 'multiply' ? [...left.items, right] : [left, right],
});

function parseProduct(c: Cursor): Node {
  let left = parseSigned(c);
  for (;;) {
    if (take(c, '*')) left = product(left, parseSigned(c));
    else if (take(c, '/')) {
      if (peek(c)?.t === 'text' && left.k === 'unit') left = { ...left, unit: `${left.unit}/${c.tokens[c.at++]!.v}` };
      else left = { k: 'divide', top: left, bottom: parseSigned(c) };
    } else if (take(c, 'choose')) left = { k: 'call', name: 'binom', args: [left, parseSigned(c)] };
    else if (startsOperand(c)) {
      const token = peek(c)!;
      const previous = c.tokens[c.at - 1]!;
      if (token.t === 'number' && previous.t === 'number') throw new Error('two numbers side by side');
      left = mixed(left, c) ?? product(left, parsePower(c));
    } else return left;
  }
}

/** `2\frac{1}{3}` and `2 1/3`: a whole number and a proper fraction of numbers. */
function mixed(left: Node, c: Cursor): Node | null {
  if (left.k !== 'number' || left.places !== null || !isOp(c, 'frac') || c.tokens[c.at - 1]?.t !== 'number')
    return null;
  const fraction = parsePower(c);
  const proper =
    fraction.k === 'divide' &&
    fraction.top.k === 'number' &&
    fraction.bottom.k === 'number' &&
    fraction.top.value.top < fraction.bottom.value.top;
  return proper ? sum(left, fraction) : product(left, fraction);
}

function parseSigned(c: Cursor): Node {
  if (take(c, '-')) return { k: 'negate', of: parseSigned(c) };
  if (take(c, '+')) return parseSigned(c);
  if (isOp(c, '+-') || isOp(c, '-+')) {
    const sign = c.tokens[c.at++]!.v === '+-' ? 1 : -1;
    return { k: 'plusMinus', sign, left: null, right: parseSigned(c) };
  }
  return parsePower(c);
}

const openers = new Set([
  '(',
  '[',
  '{',
  '\\{',
  'frac',
  'sqrt',
  'cbrt',
  'binom',
  'begin',
  'lfloor',
  'lceil',
  '<<',
  'overline',
  'bar',
  'underline',
]);
function startsOperand(c: Cursor): boolean {
  const token = peek(c);
  if (token === undefined || token.t === 'text') return false;
  if (token.t !== 'op') return true;
  return openers.has(token.v) || (token.v === '|' && c.bars === 0);
}

function parsePower(c: Cursor): Node {
  let base = parsePrimary(c);
  for (;;) {
    if (isOp(c, '^')) {
      c.at += 1;
      if (raisedSign(c, 'circ')) base = { k: 'degree', of: base };
      else if (raisedSign(c, "'")) base = primed(base);
      else base = { k: 'power', base, exponent: parseScript(c) };
    } else if (take(c, 'circ')) base = { k: 'degree', of: base };
    else if (take(c, "'")) base = primed(base);
    else if (take(c, '!')) base = { k: 'call', name: 'factorial', args: [base] };
    else if (take(c, '%')) base = { k: 'percent', of: base };
    else if (take(c, '_')) base = subscripted(base, scriptText(c));
    else if (isOp(c, 'pmod') || (isOp(c, '(') && c.tokens[c.at + 1]?.v === 'pmod')) base = modulus(base, c);
    else if (peek(c)?.t === 'text') base = withText(base, c);
    else return base;
  }
}

const primed = (base: Node): Node => (base.k === 'symbol' ? { k: 'symbol', name: `${base.name}'` } : base);

function raisedSign(c: Cursor, v: string): boolean {
  if (take(c, v)) return true;
  if (isOp(c, '{') && c.tokens[c.at + 1]?.v === v && c.tokens[c.at + 2]?.v === '}') return (c.at += 3) > 0;
  return false;
}

/** Exponent: a braced formula, a signed number, or one token. */
function parseScript(c: Cursor): Node {
  if (take(c, '{')) return closed(c, '}');
  if (take(c, '-')) return { k: 'negate', of: parseScript(c) };
  return parsePrimary(c);
}

function closed(c: Cursor, close: string): Node {
  const node = parseList(c, () => isOp(c, close) || c.at >= c.tokens.length);
  expect(c, close);
  return node;
}

/** Subscript as written, for names and bases. */
function scriptText(c: Cursor): string {
  if (!take(c, '{')) return c.tokens[c.at++]?.v ?? '';
  let text = '';
  for (let depth = 1; c.at < c.tokens.length; c.at += 1) {
    const v = peek(c)!.v;
    if (v === '{') depth += 1;
    if (v === '}' && (depth -= 1) === 0) break;
    text += v;
  }
  expect(c, '}');
  return text;
}

const baseWords: Record<string, number> = {
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
};

function subscripted(base: Node, script: string): Node {
  const radix = baseWords[script] ?? (/^\d+$/.test(script) ? Number(script) : NaN);
  if (base.k === 'number' && base.places === null && radix >= 2 && radix <= 36) {
    return { k: 'based', digits: base.value.top.toString(), base: radix };
  }
  if (base.k === 'symbol') return { k: 'symbol', name: `${base.name}_${script}` };
  throw new Error('subscript');
}

function modulus(base: Node, c: Cursor): Node {
  const parenthesised = take(c, '(');
  expect(c, 'pmod');
  const m = take(c, '{') ? closed(c, '}') : parsePrimary(c);
  if (parenthesised) expect(c, ')');
  return { k: 'unit', of: base, unit: m.k === 'number' ? `mod ${m.value.top}` : 'mod' };
}

/** Words after an operand: a unit (with its power) after a number; anywhere else the answer is no formula. */
function withText(base: Node, c: Cursor): Node {
  let unit = c.tokens[c.at++]!.v;
  for (;;) {
    if (peek(c)?.t === 'text') unit += ` ${c.tokens[c.at++]!.v}`;
    else if (isOp(c, '^')) {
      c.at += 1;
      unit += `^${scriptText(c)}`;
    } else if ((isOp(c, '/') || isOp(c, '*')) && c.tokens[c.at + 1]?.t === 'text') {
      unit += `${c.tokens[c.at]!.v}${c.tokens[c.at + 1]!.v}`;
      c.at += 2;
    } else break;
  }
  if (startsOperand(c)) throw new Error('words between operands');
  return { k: 'unit', of: base, unit };
}

const number = (text: string): Node => {
  const value = parseDecimal(text);
  if (value === null) throw new Error('number');
  const point = text.indexOf('.');
  const places = point < 0 || point === text.length - 1 ? null : text.length - point - 1;
  return { k: 'number', value, places, digits: text.replace('.', '').replace(/^0+/, '').length };
};

function parsePrimary(c: Cursor): Node {
  const token = peek(c);
  if (token === undefined) throw new Error('ends early');
  c.at += 1;
  switch (token.t) {
    case 'number':
      return repeating(token, c) ?? number(token.v);
    case 'symbol':
      return { k: 'symbol', name: token.v };
    case 'const':
      return { k: 'constant', name: token.v as 'pi' };
    case 'named':
      return { k: 'named', name: token.v };
    case 'call':
      return parseCall(token.v, c);
    case 'text':
      if (c.tokens.length === 1 || c.tokens.every((t) => t.t === 'text')) return words(c, token.v);
      if (isOp(c, '=') || isOp(c, ':')) return { k: 'symbol', name: token.v };
      if (startsOperand(c) || isOp(c, '-')) return parseSigned(c);
      return words(c, token.v);
    default:
      return parseOperator(token.v, c);
  }
}

function words(c: Cursor, first: string): Node {
  let text = first;
  while (peek(c)?.t === 'text') text += ` ${c.tokens[c.at++]!.v}`;
  return { k: 'text', text: text.toLowerCase() };
}

/** `0.1\overline{36}` as an exact fraction. */
function repeating(token: Token, c: Cursor): Node | null {
  if (!token.v.includes('.') || !(isOp(c, 'overline') || isOp(c, 'bar'))) return null;
  c.at += 1;
  const period = scriptText(c);
  if (!/^\d+$/.test(period)) throw new Error('overline');
  const places = token.v.length - token.v.indexOf('.') - 1;
  const head = BigInt(token.v.replace('.', ''));
  const all = BigInt(token.v.replace('.', '') + period);
  const scale = (10n ** BigInt(period.length) - 1n) * 10n ** BigInt(places);
  const value = divide(integer(all - head), integer(scale));
  if (value === null) throw new Error('overline');
  return { k: 'number', value, places: null, digits: 1 };
}

function parseOperator(v: string, c: Cursor): Node {
  switch (v) {
    case '(':
    case '[':
      return parseGroup(v, c);
    case '<<':
      return { k: 'group', open: '(', close: ')', items: itemsUntil(c, '>>') };
    case '{':
      return parseBraces(c, '}');
    case '\\{':
      return parseSet(c, '\\}');
    case '|':
      return absolute(c);
    case 'lfloor':
      return { k: 'call', name: 'floor', args: [closed(c, 'rfloor')] };
    case 'lceil':
      return { k: 'call', name: 'ceil', args: [closed(c, 'rceil')] };
    case 'frac':
      return { k: 'divide', top: argument(c), bottom: argument(c) };
    case 'binom':
      return { k: 'call', name: 'binom', args: [argument(c), argument(c)] };
    case 'cbrt':
      return { k: 'call', name: 'root', args: [argument(c), three] };
    case 'sqrt':
      return parseRoot(c);
    case 'overline':
    case 'underline':
    case 'bar':
      return { k: 'symbol', name: `overline ${scriptText(c)}` };
    case 'begin':
      return parseEnvironment(c);
    default:
      throw new Error(`unexpected ${v}`);
  }
}

const three: Node = { k: 'number', value: integer(3), places: null, digits: 1 };

/** `{…}` in LaTeX only groups; with a top-level comma it is read as a set (`{1,2}` in plain text). */
function parseBraces(c: Cursor, close: string): Node {
  if (take(c, close)) return { k: 'text', text: '' };
  const node = closed(c, close);
  return node.k === 'list' ? { k: 'set', items: node.items } : node;
}

function parseSet(c: Cursor, close: string): Node {
  if (take(c, close)) return { k: 'named', name: 'empty' };
  const start = c.at;
  const bars = c.bars;
  c.bars = 1;
  const ended = () => isOp(c, close) || isOp(c, '|') || c.at >= c.tokens.length;
  let node: Node;
  try {
    node = parseList(c, ended);
  } catch {
    c.at = start;
    node = { k: 'text', text: '' };
  }
  c.bars = bars;
  if (take(c, close)) {
    if (node.k === 'relation' && node.ops[0] !== '=' && node.ops[0] !== 'in') return node;
    return node.k === 'ratio' ? builder(node) : { k: 'set', items: node.k === 'list' ? node.items : [node] };
  }
  if (take(c, '|') && node.k !== 'text') return closed(c, close);
  c.at = start;
  c.bars = 0;
  const items = parseList(c, () => isOp(c, close) || c.at >= c.tokens.length);
  expect(c, close);
  return { k: 'set', items: items.k === 'list' ? items.items : [items] };
}

/** `\{x : x > 3\}`: the condition is what counts. */
const builder = (node: Node): Node => (node.k === 'ratio' ? node.items[node.items.length - 1]! : node);

function itemsUntil(c: Cursor, ...closers: string[]): readonly Node[] {
  const bars = c.bars;
  c.bars = 0;
  const node = parseList(c, () => closers.some((close) => isOp(c, close)) || c.at >= c.tokens.length);
  c.bars = bars;
  if (!closers.some((close) => take(c, close))) throw new Error('unclosed');
  return node.k === 'list' ? node.items : [node];
}

function parseGroup(open: '(' | '[', c: Cursor): Node {
  const items = itemsUntil(c, ')', ']');
  const close = c.tokens[c.at - 1]!.v as ')' | ']';
  const only = items[0]!;
  if (items.length === 1 && !(open === '[' && close === ']' && only.k === 'relation')) {
    if (open === '(' && close === ')' && only.k === 'symbol') return { k: 'group', open, close, items };
    return only;
  }
  return { k: 'group', open, close, items };
}

function absolute(c: Cursor): Node {
  c.bars += 1;
  const inner = parseList(c, () => isOp(c, '|') || c.at >= c.tokens.length);
  c.bars -= 1;
  expect(c, '|');
  return { k: 'call', name: 'abs', args: [inner] };
}

/** An argument of `\frac` or `\sqrt`: braces, or one digit (`\frac12`), or one token. */
function argument(c: Cursor): Node {
  if (take(c, '{')) return closed(c, '}');
  const token = peek(c);
  if (token?.t === 'number' && token.v.length > 1) {
    (c.tokens as Token[])[c.at] = { ...token, v: token.v.slice(1) };
    return number(token.v[0]!);
  }
  if (take(c, '-')) return { k: 'negate', of: argument(c) };
  return parsePrimary(c);
}

function parseRoot(c: Cursor): Node {
  const degree = take(c, '[') ? closed(c, ']') : null;
  const token = peek(c);
  const of = isOp(c, '{') || isOp(c, '(') || token?.t !== 'number' ? argument(c) : number((c.at++, token.v));
  const inner = of.k === 'group' && of.items.length === 1 ? of.items[0]! : of;
  return degree === null
    ? { k: 'call', name: 'sqrt', args: [inner] }
    : { k: 'call', name: 'root', args: [inner, degree] };
}

const aliases: Record<string, string> = { asin: 'arcsin', acos: 'arccos', atan: 'arctan', lg: 'log10', sgn: 'sign' };

function parseCall(name: string, c: Cursor): Node {
  let raised: Node | null = null;
  let base: Node | null = null;
  for (;;) {
    if (take(c, '^')) raised = parseScript(c);
    else if (take(c, '_')) base = take(c, '{') ? closed(c, '}') : argument(c);
    else break;
  }
  const args = callArguments(c);
  let call: Node = { k: 'call', name: aliases[name] ?? name, args: base === null ? args : [...args, base] };
  if (name === 'exp') call = { k: 'power', base: { k: 'constant', name: 'e' }, exponent: args[0]! };
  const inverse = raised?.k === 'negate' && raised.of.k === 'number' && raised.of.value.top === 1n;
  if (inverse && /^(?:sin|cos|tan|cot)$/.test(name)) return { k: 'call', name: `arc${name}`, args };
  return raised === null ? call : { k: 'power', base: call, exponent: raised };
}

/** Arguments in brackets, or the product that follows (`\sin 2x`), which ends at a sign or another function. */
function callArguments(c: Cursor): readonly Node[] {
  if (take(c, '(')) return itemsUntil(c, ')');
  if (take(c, '{')) {
    const node = closed(c, '}');
    return node.k === 'list' ? node.items : [node];
  }
  if (take(c, '\\{')) return itemsUntil(c, '\\}');
  let argumentNode = take(c, '-') ? ({ k: 'negate', of: parsePower(c) } as Node) : parsePower(c);
  while (startsOperand(c) && peek(c)!.t !== 'call' && !isOp(c, '('))
    argumentNode = product(argumentNode, parsePower(c));
  return [argumentNode];
}

/** Matrices row by row; `cases` and `aligned` blocks as lists of their lines. */
function parseEnvironment(c: Cursor): Node {
  const name = environmentName(c);
  if (name === 'array') while (isOp(c, '{')) scriptText(c);
  const rows: Node[][] = [];
  let row: Node[] = [];
  const ended = () => isOp(c, '&') || isOp(c, '\\\\') || isOp(c, 'end') || c.at >= c.tokens.length;
  for (;;) {
    if (take(c, 'end')) break;
    if (c.at >= c.tokens.length) throw new Error('unclosed environment');
    if (take(c, '&')) continue;
    if (take(c, '\\\\')) {
      if (row.length > 0) rows.push(row);
      row = [];
    } else row.push(parseList(c, ended));
  }
  environmentName(c);
  if (row.length > 0) rows.push(row);
  if (rows.length === 0) throw new Error('empty matrix');
  if (/matrix|array/.test(name)) return { k: 'matrix', rows };
  const lines = rows.map((items) => items[items.length - 1]!);
  return name === 'cases'
    ? { k: 'list', joiner: 'and', items: rows.map((items) => items[0]!) }
    : lines[lines.length - 1]!;
}

function environmentName(c: Cursor): string {
  expect(c, '{');
  let name = '';
  while (c.at < c.tokens.length && !isOp(c, '}')) name += c.tokens[c.at++]!.v;
  expect(c, '}');
  return name;
}
