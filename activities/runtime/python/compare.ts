/**
 * Whether what a program gave is what a test expects. Runs in Node only: expected outputs never enter a sandbox.
 * `exact`: the same text, but for one final newline. `whitespace`: the same tokens, whatever is between them.
 * `numeric`: the same tokens, where two numbers may differ by 1e-6 absolutely or relatively; integers stay exact.
 * For returned values: the same JSON structure; `numeric` gives floats the tolerance, the others compare them exactly.
 * Weakness avoided: a relative tolerance on integers would accept 809 for 810 (docs/sandbox.md).
 */
import type { CodeVerifier } from '../../../shared/domain/question.ts';
import type { JsonTree } from './json-text.ts';

/** A checker is not compared by: it is run (`judge-code.ts`). */
export type Comparison = Exclude<CodeVerifier['compare'], 'checker'>;

const tolerance = 1e-6;
const integer = /^[+-]?\d+$/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Two numbers as text; integers exactly, whatever their length. */
function sameNumber(expected: string, given: string, close: boolean): boolean {
  if (integer.test(expected) && integer.test(given)) return BigInt(expected) === BigInt(given);
  const [a, b] = [Number(expected), Number(given)];
  if (Number.isNaN(a) || Number.isNaN(b)) return expected === given;
  if (a === b) return true;
  if (!close || !Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
}

// BigInt refuses a leading plus.
const unsigned = (text: string) => (text.startsWith('+') ? text.slice(1) : text);
const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');

function sameWord(expected: string, given: string): boolean {
  if (expected === given) return true;
  if (!decimal.test(expected) || !decimal.test(given)) return false;
  return sameNumber(unsigned(expected), unsigned(given), true);
}

/** Standard output against expected text. */
export function sameOutput(expected: string, given: string, compare: Comparison): boolean {
  if (compare === 'exact') return expected.replace(/\r?\n$/, '') === given.replace(/\r?\n$/, '');
  const [a, b] = [words(expected), words(given)];
  if (a.length !== b.length) return false;
  return compare === 'whitespace' ? a.every((word, i) => word === b[i]) : a.every((word, i) => sameWord(word, b[i]!));
}

/** Returned value against expected value. Booleans are not numbers here, and an absent key is not null. */
export function sameValue(expected: JsonTree, given: JsonTree, compare: Comparison): boolean {
  if (expected === null || typeof expected === 'boolean') return expected === given;
  if (typeof expected === 'string') return typeof given === 'string' && sameText(expected, given, compare);
  if (given === null || typeof given !== 'object') return false;
  if ('number' in expected)
    return 'number' in given && sameNumber(expected.number, given.number, compare === 'numeric');
  if ('members' in expected) {
    if (!('members' in given) || given.members.size !== expected.members.size) return false;
    return [...expected.members].every(([key, value]) => {
      const other = given.members.get(key);
      return other !== undefined && sameValue(value, other, compare);
    });
  }
  if (!isArray(given) || given.length !== expected.length) return false;
  return expected.every((item, index) => sameValue(item, given[index]!, compare));
}

const isArray = (tree: JsonTree): tree is readonly JsonTree[] => Array.isArray(tree);
const sameText = (expected: string, given: string, compare: Comparison) =>
  compare === 'whitespace' ? words(expected).join(' ') === words(given).join(' ') : expected === given;
