import { expect, it } from 'vitest';
import type { CodeTestVerdict, CodeVerdict } from '../../activities/runtime/python/judge-code.ts';
import { testsText } from './tests-text.ts';

const test = (status: CodeTestVerdict['status'], error: string | null = null): CodeTestVerdict => ({
  ...{ status, error, cpuMs: 1, wallMs: 2 },
});
const verdict = (tests: CodeTestVerdict[], total: number, stopped: CodeVerdict['stopped'] = null): CodeVerdict => {
  const passed = tests.filter(({ status }) => status === 'accepted').length;
  const status = tests.find((one) => one.status !== 'accepted')?.status ?? 'accepted';
  const ratio = passed / total;
  return { correct: passed === total, status, passed, total, ratio, error: null, tests, stopped, tier: 'A', cpuMs: 1, wallMs: 2 }; // prettier-ignore
};

it('names the first tests that failed, with their reasons', () => {
  const right = test('accepted');
  expect(testsText(verdict([right, right], 2))).toBe('2 of 2 tests accepted');
  const wrong = test('wrong-answer');
  const broken = test('runtime-error', 'ValueError: no');
  expect(testsText(verdict([right, wrong, broken, wrong, wrong], 5))).toBe(
    '1 of 5 tests accepted; test 2: wrong-answer; test 3: runtime-error (ValueError: no); test 4: wrong-answer; 1 more',
  );
  expect(testsText(verdict([wrong], 9, 'first-failure'))).toBe(
    '0 of 9 tests accepted; test 1: wrong-answer; stopped after 1',
  );
});
