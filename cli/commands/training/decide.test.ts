import { expect, it } from 'vitest';
import { checkDecision } from '../../../shared/domain/decision.ts';
import { decisionOf } from './decide.ts';

const question = { choices: ['skip', 'lower-rate', 'stop'] } as const;

it('gives a factor where one is typed or wanted, so that one too many is refused', () => {
  expect(checkDecision(decisionOf('lower-rate', undefined), question)).toEqual({ choice: 'lower-rate', factor: 0.5 });
  expect(checkDecision(decisionOf('lower-rate', '0.1'), question)).toEqual({ choice: 'lower-rate', factor: 0.1 });
  expect(checkDecision(decisionOf('skip', undefined), question)).toEqual({ choice: 'skip' });
  expect(() => checkDecision(decisionOf('skip', '0.1'), question)).toThrow('only lower-rate has a factor');
});
