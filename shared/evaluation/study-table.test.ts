import { describe, expect, it } from 'vitest';
import { cellsCsv, curvesCsv, spreadOf, studyMarkdown, studyRows } from './study-table.ts';
import type { StudyCell } from './study-table.ts';

const cell = (variant: string, seed: number, average: number | null, change: Partial<StudyCell> = {}): StudyCell => ({
  variant,
  seed,
  system: 'metaagentx',
  runId: `s.${variant}.s${seed}`,
  status: average === null ? 'failed' : 'finished',
  failure: average === null ? 'NonFiniteLoss: loss is NaN, at step 3' : null,
  evaluation: average === null ? null : `s.${variant}.s${seed}/eval-stage-01`,
  start: 0.25,
  average,
  majority: average,
  callsPerAnswer: 2,
  responseTokensPerAnswer: 40,
  learningCalls: 100,
  learningTokens: 5000,
  ...change,
});

describe('studyRows', () => {
  // By hand: 0.5, 0.6, 0.7: mean 0.6, sample deviation 0.1; gains 0.25, 0.35, 0.45.
  const rows = studyRows([
    cell('a', 0, 0.5),
    cell('b', 0, 0.4),
    cell('a', 1, 0.6),
    cell('a', 2, 0.7),
    cell('b', 1, null),
  ]);

  it('has mean and sample deviation over seeds, in order of appearance', () => {
    expect(rows.map(({ variant }) => variant)).toEqual(['a', 'b']);
    expect(rows[0]!.average).toEqual({ mean: expect.closeTo(0.6, 12), deviation: expect.closeTo(0.1, 12) });
    expect(rows[0]!.gain).toEqual({ mean: expect.closeTo(0.35, 12), deviation: expect.closeTo(0.1, 12) });
  });

  it('counts failed cells and takes no number from them', () => {
    expect(rows[1]).toMatchObject({ seeds: 2, failed: 1, average: { mean: 0.4, deviation: null } });
    expect(spreadOf([null, null])).toBeNull();
  });

  it('is a Markdown table', () => {
    const lines = studyMarkdown(rows).split('\n');
    expect(lines[0]).toMatch(/^\| variant \| avg@k % \| gain/);
    expect(lines[2]).toBe('| a | 60.0 ± 10.0 | 35.0 ± 10.0 | 60.0 ± 10.0 | 2.00 ± 0.00 | 40.0 ± 0.0 | 100 ± 0 | 3 |');
    expect(lines[3]).toBe('| b | 40.0 | 15.0 | 40.0 | 2.00 | 40.0 | 100 | 2 (1 failed) |');
  });
});

it('CSV has a row a cell and a row an iteration, with all digits', () => {
  expect(cellsCsv([cell('a', 0, 1 / 3)]).split('\n')[1]).toContain('0.3333333333333333');
  expect(cellsCsv([cell('b', 1, null)]).split('\n')[1]).toContain('"NonFiniteLoss: loss is NaN, at step 3"');
  const point = { variant: 'a', seed: 0, iteration: 1, learner: 'both', meanReward: 0.5, validDesigns: 1, calls: 9 };
  expect(curvesCsv([point])).toBe('variant,seed,iteration,learner,meanReward,validDesigns,calls\na,0,1,both,0.5,1,9\n');
});
