import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameOutput, sameValue } from './compare.ts';
import { parseJson } from './json-text.ts';

const same = (expected: string, given: string, compare: 'exact' | 'whitespace' | 'numeric') =>
  sameValue(parseJson(expected), parseJson(given), compare);

describe('standard output', () => {
  it.each([
    ['exact', '1 2\n', '1 2', true],
    ['exact', '1 2', '1  2', false],
    ['exact', 'a\n\n', 'a\n', false],
    ['whitespace', '1 2\n3', ' 1\n2 3\n\n', true],
    ['whitespace', '12', '1 2', false],
    ['whitespace', '1.0', '1', false],
    ['numeric', '0.3333333', '0.33333333333', true],
    ['numeric', '1000000.0', '1000000.9', true],
    ['numeric', '1.0', '1.00001', false],
    ['numeric', '1.0', '1', true],
    // Integers are exact even where a relative tolerance would accept them.
    ['numeric', '10000001', '10000002', false],
    ['numeric', '123456789012345678901234567890', '123456789012345678901234567891', false],
    ['numeric', 'yes 1', 'yes 1.0000000001', true],
    ['numeric', 'yes', 'no', false],
    ['numeric', '+5', '5', true],
    ['numeric', 'nan', 'nan', true],
  ] as const)('%s: %j and %j: %s', (compare, expected, given, verdict) => {
    expect(sameOutput(expected, given, compare)).toBe(verdict);
  });
});

describe('returned values', () => {
  it.each([
    ['exact', '[1, 2]', '[1,2]', true],
    ['exact', '[1, 2]', '[2, 1]', false],
    ['exact', '[1]', '[1, null]', false],
    ['exact', '1', '1.0', true],
    ['exact', '1', 'true', false],
    ['exact', '9007199254740993', '9007199254740992', false],
    ['exact', '0.1', '0.10000000001', false],
    ['numeric', '0.1', '0.10000000001', true],
    ['exact', '{"a": 1, "b": [2]}', '{"b": [2], "a": 1}', true],
    ['exact', '{"a": null}', '{}', false],
    ['exact', '{}', '[]', false],
    ['exact', '"a b"', '"a  b"', false],
    ['whitespace', '"a b"', '"a  b"', true],
    ['exact', '"é"', '"\\u00e9"', true],
    ['exact', 'Infinity', 'Infinity', true],
    ['exact', 'null', '0', false],
  ] as const)('%s: %s and %s: %s', (compare, expected, given, verdict) => {
    expect(same(expected, given, compare)).toBe(verdict);
  });

  it.each(['', '[1,', '[1 2]', '{1: 2}', '01', "'a'", '[1],', 'True', '"a'])('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('finds what JSON.parse finds equal to itself, and only that', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [one, two] = [JSON.stringify(a), JSON.stringify(b)];
        expect(same(one, one, 'exact')).toBe(true);
        // Arrays and members sorted by key, each under its own name: an empty array is no empty object.
        const order = (value: unknown): unknown =>
          Array.isArray(value)
            ? ['array', ...value.map(order)]
            : value !== null && typeof value === 'object'
              ? [
                  'object',
                  ...Object.entries(value)
                    .sort(([x], [y]) => (x < y ? -1 : 1))
                    .map(([key, inner]) => [key, order(inner)]),
                ]
              : value;
        expect(same(one, two, 'exact')).toBe(
          JSON.stringify(order(JSON.parse(one))) === JSON.stringify(order(JSON.parse(two))),
        );
      }),
    );
  });
});
