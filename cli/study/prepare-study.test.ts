/** Every shipped study is valid, and its runs are what their variants say. */
import { describe, expect, it } from 'vitest';
import { studySchema } from '../../shared/config/study.ts';
import { loadStudy, prepareStudy, studyNames } from './prepare-study.ts';

const study = (change: object) =>
  studySchema.parse({ name: 's', description: '', recipe: 'smoke', seeds: [0, 1], variants: { plain: {} }, ...change });

describe('shipped studies', () => {
  it('are prepared without a refusal', async () => {
    for (const name of await studyNames()) {
      const prepared = await prepareStudy(await loadStudy(name));
      expect(prepared.study.name).toBe(name);
      expect(prepared.cells.length).toBeGreaterThan(0);
    }
  });
});

describe('prepareStudy', () => {
  it('lets every run start from the cold start of its seed', async () => {
    const { bases, runs, cells } = await prepareStudy(
      study({ variants: { plain: {}, split: { set: ['policy.layout=split'] }, debate: { system: 'debate' } } }),
    );
    expect(bases.map(({ runId, recipe }) => [runId, recipe.stages.count, recipe.coldStart.type])).toEqual([
      ['s.cold-start.s0', 0, 'toy'],
      ['s.cold-start.s1', 0, 'toy'],
    ]);
    expect(runs.map(({ runId, recipe }) => [runId, recipe.seed, recipe.policy.init])).toEqual(
      [0, 1].flatMap((seed) =>
        ['plain', 'split'].map((name) => [
          `s.${name}.s${seed}`,
          seed,
          { type: 'policy', runId: `s.cold-start.s${seed}`, version: 2, moments: 'fresh' },
        ]),
      ),
    );
    expect(runs[1]!.recipe.policy.layout).toBe('split');
    expect(cells.filter(({ variant }) => variant === 'debate').map(({ runId }) => runId)).toEqual([
      's.cold-start.s0',
      's.cold-start.s1',
    ]);
  });

  it('gives every run its own cold start where the study says so', async () => {
    const { bases, runs } = await prepareStudy(study({ sharedColdStart: false }));
    expect(bases).toEqual([]);
    expect(runs.map(({ recipe }) => recipe.coldStart.type)).toEqual(['toy', 'toy']);
  });

  it('trains the systems that are trainings', async () => {
    const { runs } = await prepareStudy(study({ variants: { agent: { system: 'single-agent-grpo' } } }));
    expect(runs[0]!.recipe).toMatchObject({
      designs: { script: 'return agent("steps");' },
      rollout: { designsPerQuestion: 1, executionsPerDesign: 16 },
      stages: { scheme: 'executor-only', count: 1, iterationsPerStage: 4 },
    });
  });

  it.each([
    [{ variants: { x: { set: ['coldStart.steps=9'] } } }, /starts from one cold start/],
    [{ variants: { x: { set: ['stages.scheme=sideways'] } } }, /stages.scheme/],
    [{ variants: { x: { system: 'nobody' } } }, /there is no system/],
    [{ variants: { x: { system: 'debate' } }, budget: 'calls=2' }, /at least 3 calls/],
    [{ recipe: 'nothing' }, /there is no recipe/],
    [{ variants: { x: { search: { rounds: 3 } } } }, /search\.rounds of variant 'x'/],
    [{ variants: { x: { system: 'debate', search: { calls: 3 } } } }, /of no effect .*: search\.calls of variant 'x'/],
    [
      { variants: { x: { system: 'debate', set: ['limits.calls=9'] } } },
      /sets limits\.calls=9, but debate is measured/,
    ],
    [{ sharedColdStart: false, coldStartsOf: 'other' }, /takes the cold starts of 'other', but every run has its own/],
  ])('refuses %j', async (change, reason) => {
    await expect(prepareStudy(study(change))).rejects.toThrow(reason);
  });

  it('refuses what is no study', async () => {
    await expect(loadStudy('nowhere.ts')).rejects.toThrow(/no such file/);
    await expect(loadStudy('unheard-of')).rejects.toThrow(/smoke/);
  });
});
