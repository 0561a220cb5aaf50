import { parse } from 'acorn';
import { describe, expect, it } from 'vitest';
import { drawAnswer, renderAnswer } from './answers.ts';
import { defaultColdStartQuality, generateColdStartExamples } from './cold-start.ts';
import { createDraws } from './draws.ts';
import { toyKinds, work } from './kinds.ts';
import { drawToyProblem, generateToyQuestions } from './questions.ts';

/** Reads the question again with rules of its own: an oracle beside the generator's plan. */
function solveByReading(text: string): number {
  const numbers = [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
  const bags = (text.match(/bags/g) ?? []).length;
  let total = 0;
  let next = 0;
  for (let i = 0; i < bags; i++) total += numbers[next++]! * numbers[next++]!;
  const verbs = text.matchAll(/(has|gets|finds|loses|sells)(?= \d+(?! bags))/g);
  for (const [, verb] of verbs) total += (verb === 'loses' || verb === 'sells' ? -1 : 1) * numbers[next++]!;
  return total;
}

const gold = (question: ReturnType<typeof generateToyQuestions>[number]) =>
  question.verifier.type === 'math' ? Number(question.verifier.gold) : NaN;
const numbersIn = (text: string) => [...text.matchAll(/\d+/g)].map(([digits]) => digits).join(',');

describe('toy questions', () => {
  const train = generateToyQuestions({ seedKey: 'test', count: 2000, split: 'train' });
  const heldOut = generateToyQuestions({ seedKey: 'test', count: 300, split: 'held-out' });

  it('have the answer that reading the text gives', () => {
    for (const question of [...train, ...heldOut])
      expect(gold(question), question.text).toBe(solveByReading(question.text));
  });

  it('share no number combination between the splits, and no text or id within one', () => {
    const trained = new Set(train.map(({ text }) => numbersIn(text)));
    expect(heldOut.filter(({ text }) => trained.has(numbersIn(text)))).toEqual([]);
    for (const questions of [train, heldOut]) {
      expect(new Set(questions.map(({ text }) => text)).size).toBe(questions.length);
      expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
    }
  });

  it('cover every kind about equally, and answers are from 0 to 99', () => {
    for (const kind of toyKinds) {
      const share = train.filter((question) => question.kind === kind.name).length / train.length;
      expect(share).toBeGreaterThan(0.5 / toyKinds.length);
    }
    expect(train.every((question) => gold(question) >= 0 && gold(question) <= 99)).toBe(true);
  });

  it('are a function of the seed, and a larger count only adds', () => {
    expect(generateToyQuestions({ seedKey: 'test', count: 50, split: 'train' })).toEqual(train.slice(0, 50));
    expect(generateToyQuestions({ seedKey: 'other', count: 50, split: 'train' })).not.toEqual(train.slice(0, 50));
  });

  it('refuse a count that cannot be', () => {
    for (const count of [0, -1, 1.5, NaN]) {
      expect(() => generateToyQuestions({ seedKey: 'test', count, split: 'train' })).toThrow(/whole number/);
    }
  });
});

describe('cold-start answers', () => {
  const draws = createDraws('answers');
  const problems = Array.from({ length: 400 }, () => drawToyProblem(draws, 'train'));

  it('are written as worked operations and a GSM8K answer line', () => {
    const kind = toyKinds.find(({ name }) => name === 'groups-more')!;
    const steps = work(kind.plan, [3, 4, 5]);
    expect(renderAnswer(steps, 17)).toBe('3*4=12;12+5=17;#### 17');
    expect(renderAnswer([], 17)).toBe('#### 17');
  });

  it('are right as often as the quality says', () => {
    const quality = { works: { steps: 0.5, plain: 1, fast: 0 }, slips: 0.2 };
    const texts = problems.map((problem) => drawAnswer(problem, 'steps', quality, draws));
    const right = texts.filter((text, i) => text.endsWith(`#### ${problems[i]!.answer}`)).length / texts.length;
    const worked = texts.filter((text) => text.includes('=')).length / texts.length;
    expect(worked).toBeCloseTo(0.5, 0.9);
    expect(right).toBeGreaterThan(0.83);
    expect(right).toBeLessThan(0.97);
  });
});

describe('cold-start examples', () => {
  const examples = generateColdStartExamples({ seedKey: 'test', count: 3000 });
  const designs = examples.filter(({ role }) => role === 'designer').map(({ response }) => response);

  it('never show held-out numbers', () => {
    const heldOut = new Set(
      generateToyQuestions({ seedKey: 'test', count: 300, split: 'held-out' }).map(({ text }) => numbersIn(text)),
    );
    const tasks = examples.map(({ messages }) =>
      messages
        .at(-1)!
        .content.split('\n')
        .find((line) => line.includes('How many'))!,
    );
    expect(tasks.filter((text) => heldOut.has(numbersIn(text)))).toEqual([]);
  });

  it('hold every pattern and the share of broken designs that was asked for', () => {
    for (const word of ["agent('steps')", 'ensemble', 'debate', 'reflect', 'sequence', 'await', 'question.includes']) {
      expect(designs.filter((script) => script.includes(word)).length).toBeGreaterThan(50);
    }
    const parses = (script: string) => {
      try {
        parse(script, { ecmaVersion: 2022, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true });
        return /return (?!')/.test(script) && !script.includes('solve(');
      } catch {
        return false;
      }
    };
    expect(designs.filter((script) => !parses(script)).length / designs.length).toBeCloseTo(
      defaultColdStartQuality.broken,
      1,
    );
  });

  it('choose designs without regard to the question', () => {
    const pairs = examples
      .filter(({ role }) => role === 'designer')
      .map(({ messages, response }) => [messages[1]!.content.includes('bags'), response.includes("'plain'")] as const);
    const share = (bags: boolean) => {
      const of = pairs.filter(([has]) => has === bags);
      return of.filter(([, plain]) => plain).length / of.length;
    };
    expect(Math.abs(share(true) - share(false))).toBeLessThan(0.06);
  });

  it('depend on the seed and the index alone', () => {
    expect(generateColdStartExamples({ seedKey: 'test', count: 10 })).toEqual(examples.slice(0, 10));
  });

  it('refuse a bad count or share', () => {
    expect(() => generateColdStartExamples({ seedKey: 'x', count: 0 })).toThrow(/whole number/);
    expect(() => generateColdStartExamples({ seedKey: 'x', count: 1, designerShare: 2 })).toThrow(/designerShare/);
  });
});
