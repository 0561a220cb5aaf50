/** How the tests of a code question ended, in one line: how many were accepted, and the first that were not. */
import type { CodeVerdict } from '../../activities/runtime/python/judge-code.ts';

/** Failed tests that are named. */
const namedTests = 3;

export function testsText({ passed, total, tests, stopped }: CodeVerdict): string {
  const failed = tests
    .map(({ status, error }, index) => ({ number: index + 1, status, error }))
    .filter(({ status }) => status !== 'accepted');
  const named = failed
    .slice(0, namedTests)
    .map(({ number, status, error }) => `test ${number}: ${status}${error === null ? '' : ` (${error})`}`);
  const more = failed.length - named.length;
  return [
    `${passed} of ${total} tests accepted`,
    ...named,
    ...(more > 0 ? [`${more} more`] : []),
    ...(stopped === null ? [] : [`stopped after ${tests.length}`]),
  ].join('; ');
}
