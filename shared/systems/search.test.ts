/** Strategies on candidates by hand: numbers of the papers' formulas, what is proposed, what is never proposed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScript } from '../script/check.ts';
import { designPatterns, writeDesign } from '../toy/designs.ts';
import { createDraws } from '../toy/draws.ts';
import { adas } from './adas.ts';
import { aflow, mixedProbabilities } from './aflow.ts';
import { editScript, promptsIn } from './edits.ts';
import { rewriteMessages } from './rewrite-prompt.ts';
import { bestOf, proposalAt } from './search.ts';
import type { Candidate } from './search.ts';

const tried = (number: number, score: number, change: Partial<Candidate> = {}): Candidate => ({
  number,
  parent: null,
  origin: 'given',
  script: `return agent('steps')// ${number}`,
  refusal: null,
  score,
  ...change,
});

describe('aflow', () => {
  it('mixes a uniform share with a softmax of scores in percent', () => {
    // 0.3 / 2 + 0.7 · 1 / (1 + exp(-0.2 · 10)) = 0.15 + 0.7 · 0.880797 = 0.766558.
    expect(mixedProbabilities([0.6, 0.5])[0]).toBeCloseTo(0.766558, 6);
    for (const each of mixedProbabilities([0, 0, 0])) expect(each).toBeCloseTo(1 / 3, 12);
    expect(mixedProbabilities([0.9, 0.1, 0.4]).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
  });

  it('draws parents by those probabilities from the initial script and the three best others', () => {
    const candidates = [0, 0.9, 0.1, 0.8, 0.7, 0.2].map((score, number) => tried(number, score));
    const drawn = Array.from({ length: 4000 }, (_, i) => {
      const proposal = aflow.next(candidates, 'documented', `draw-${i}`);
      return proposal.type === 'rewrite' ? proposal.parent : null;
    });
    const probabilities = mixedProbabilities([0, 0.9, 0.8, 0.7]);
    for (const [index, number] of [0, 1, 3, 4].entries()) {
      const share = drawn.filter((parent) => parent === number).length / drawn.length;
      // Four standard errors of a share of 4000.
      expect(Math.abs(share - probabilities[index]!)).toBeLessThan(0.032);
    }
    expect(drawn.some((parent) => parent === 2 || parent === 5)).toBe(false);
  });

  it('shows what was already tried with the parent', () => {
    const candidates = [
      tried(0, 0.5),
      tried(1, 0.4, { parent: 0 }),
      tried(2, 0, { parent: 0, refusal: 'syntax-error' }),
    ];
    const proposals = Array.from({ length: 40 }, (_, i) => aflow.next(candidates, 'documented', `s-${i}`));
    const ofInitial = proposals.find((proposal) => proposal.type === 'rewrite' && proposal.parent === 0);
    expect(ofInitial).toMatchObject({ shown: [1, 2] });
    expect(proposals.some((proposal) => proposal.type === 'rewrite' && proposal.parent === 2)).toBe(false);
  });

  it('samples and edits in turn where prompts are terse, after its seed', () => {
    const types = [0, 1, 2, 3].map((count) => {
      const candidates = Array.from({ length: count }, (_, number) => tried(number, 0.5));
      return proposalAt(aflow, candidates, 'terse', 's').type;
    });
    expect(types).toEqual(['given', 'sample', 'edit', 'sample']);
    expect(aflow.next([tried(0, 0, { refusal: 'syntax-error' })], 'terse', 's')).toEqual({ type: 'sample' });
  });
});

describe('adas', () => {
  it('begins with known designs and shows the best of the archive in order', () => {
    expect(adas.seeds('terse')).toHaveLength(5);
    for (const form of ['terse', 'documented'] as const) {
      for (const script of adas.seeds(form)) expect(checkScript(script).problems).toEqual([]);
    }
    const candidates = Array.from({ length: 20 }, (_, number) => tried(number, number === 3 ? 0 : 0.5));
    const proposal = adas.next(candidates, 'documented', 's');
    expect(proposal).toMatchObject({ type: 'rewrite', parent: null });
    const shown = proposal.type === 'rewrite' ? proposal.shown : [];
    expect(shown).toHaveLength(16);
    expect(shown).not.toContain(3);
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
  });

  it('edits the better of two drawn members', () => {
    const candidates = [tried(0, 0.1), tried(1, 0.9)];
    const parents = Array.from({ length: 2000 }, (_, i) => {
      const proposal = adas.next(candidates, 'terse', `s-${i}`);
      return proposal.type === 'edit' ? proposal.parent : null;
    });
    // The worse is taken only when it is drawn twice: a quarter.
    expect(Math.abs(parents.filter((parent) => parent === 0).length / 2000 - 0.25)).toBeLessThan(0.039);
  });
});

it('bestOf takes the highest score, the earliest of equals, and nothing that may not run', () => {
  expect(
    bestOf([tried(0, 0.2), tried(1, 0.7), tried(2, 0.7), tried(3, 0.9, { refusal: 'dry-run-error' })])?.number,
  ).toBe(1);
  expect(bestOf([tried(0, 0, { refusal: 'x' }), tried(1, 0, { script: null, refusal: 'no-script' })])).toBeUndefined();
});

describe('editScript', () => {
  const script = "const a = await agent('plain'); return ensemble([agent('steps'), agent({ prompt: 'fast' })]);";

  it('finds prompts in both notations', () => {
    expect(promptsIn(script)).toEqual(['plain', 'steps', 'fast']);
    expect(promptsIn('return (')).toEqual([]);
  });

  it('changes a prompt, wraps what is returned, or takes a layer off', () => {
    const edited = new Set(Array.from({ length: 60 }, (_, i) => editScript(script, ['other'], `e-${i}`)));
    const all = [...edited];
    expect(all.some((text) => text.includes('agent("other")') && !text.includes('sequence'))).toBe(true);
    expect(all.some((text) => text.includes('return reflect({ agent: ensemble(['))).toBe(true);
    expect(all.some((text) => text.endsWith("return agent('steps');"))).toBe(true);
    expect(all.every((text) => text !== script)).toBe(true);
  });

  it('keeps sound scripts sound', () => {
    fc.assert(
      fc.property(fc.constantFrom(...designPatterns), fc.nat(), fc.nat(), (pattern, design, edit) => {
        const sound = writeDesign(pattern, createDraws(`d-${design}`));
        const { problems } = checkScript(editScript(sound, ['steps', 'plain'], `e-${edit}`));
        expect(problems).toEqual([]);
      }),
    );
  });

  it('leaves a script alone that does not parse', () => {
    expect(editScript('return (', ['a'], 's')).toBe('return (');
  });
});

it('rewriteMessages shows the language, scores and refusals', () => {
  const parent = tried(4, 0.625);
  const [system, user] = rewriteMessages({
    parent,
    shown: [tried(5, 0, { refusal: 'syntax-error: line 1' })],
    tools: [],
  });
  expect(system!.content).toContain('ensemble');
  expect(user!.content).toContain('Design 4 (63 % of answers right)');
  expect(user!.content).toContain('Design 5 (could not be run: syntax-error: line 1)');
});
