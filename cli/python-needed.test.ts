import { expect, it } from 'vitest';
import type { Question } from '../shared/domain/question.ts';
import { pythonUse } from './python-needed.ts';

const question = (verifier: Question['verifier']): Question => ({
  id: 'q',
  text: 'q',
  kind: null,
  difficulty: null,
  verifier,
});
const math = question({ type: 'math', gold: '1' });
const code = question({
  type: 'code',
  style: 'stdio',
  functionName: null,
  starterCode: null,
  tests: [{ input: '', expected: '' }],
  compare: 'exact',
  timeLimitMs: 1000,
  memoryLimitMb: 64,
});
const datasets = (train: Question[], heldOut: Question[]) => {
  const part = (questions: Question[]) => ({ digest: 'd', name: 'n', questions, provenance: null });
  return { train: part(train), heldOut: part(heldOut), notes: [] };
};
const recipe = (...tools: ('calculator' | 'python')[]) => ({ designs: { tools, authoredAnswers: false } });

it('is asked for by the tool or by code questions only', () => {
  expect(pythonUse(recipe('calculator'), datasets([math], [math]))).toBeNull();
  expect(pythonUse(recipe('calculator', 'python'), datasets([math], [math]))).toMatch(/tool 'python'/);
  expect(pythonUse(recipe(), datasets([math], [math, code]))).toMatch(/running programs/);
});
