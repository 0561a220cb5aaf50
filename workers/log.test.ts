/** Where a line belongs: read off the workflow's id. */
import { describe, expect, it } from 'vitest';
import { levelOf, placeOf } from './log.ts';

describe('placeOf', () => {
  it.each([
    ['run-1', { run: 'run-1' }],
    ['run-1/stage-02-designer', { run: 'run-1', stage: 2 }],
    ['run-1/stage-02/iter-007/q-013', { run: 'run-1', stage: 2, iteration: 7, question: 13 }],
    ['run-1/eval-stage-01', { run: 'run-1', evaluation: 'stage-01' }],
  ])('%s', (id, place) => {
    expect(placeOf(id)).toEqual(place);
  });
});

it('takes an unknown level for warn', () => {
  expect([levelOf({}), levelOf({ METAAGENTX_LOG: 'debug' }), levelOf({ METAAGENTX_LOG: 'loud' })]).toEqual([
    'WARN',
    'DEBUG',
    'WARN',
  ]);
});
