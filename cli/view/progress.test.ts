/** The block that a watcher draws, and where it draws nothing. */
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../shared/domain/plan.ts';
import { liveBlock } from './live-block.ts';
import { paintFor } from './paint.ts';
import { progressBlock, progressLine } from './progress.ts';
import type { RunView } from './progress.ts';

const plain = paintFor({ isTTY: false }, { NO_COLOR: '1' });
const progress: Progress = {
  runId: 'toy-1',
  phase: 'training',
  stage: 2,
  stages: 2,
  learner: 'designer',
  iteration: 3,
  iterations: 12,
  policyVersion: 22,
  meanReward: 0.5,
  evaluations: { 'cold-start': 0.435, 'stage-01': 0.607 },
};
const view: RunView = {
  progress,
  rewards: [0, 0.25, 0.5, 1, 0.5],
  tokens: 45_678,
  pace: { tokensPerSecond: 1_234, etaMs: 125_000 },
  samples: 3,
  elapsedMs: 61_000,
  page: 'http://127.0.0.1:8280/runs/toy-1',
  notice: null,
};

describe('the live view', () => {
  it('shows stage, iteration, rewards, speed, remaining time and link', () => {
    expect(progressBlock(view, plain)).toEqual([
      'toy-1  training  1 m 01 s',
      // A quarter of 24 cells.
      '  stage 2/2 ██████░░░░░░░░░░░░░░░░░░  iteration 3/12 · the designer learns',
      // Eighths of the range: 0, 1.75, 3.5, 7 and 3.5 steps up.
      '  reward    ▁▃▅█▅  0.500 (newest of 5)',
      '  avg@3     cold-start 43.5 % · stage-01 60.7 %',
      '  policy    v000022',
      '  tokens    45.7k sampled, 1.23k tokens/s in the newest iteration',
      '  to go     about 2 m 05 s',
      '  look at   http://127.0.0.1:8280/runs/toy-1',
    ]);
  });

  it('estimates no end where nothing moves', () => {
    const paused = progressBlock({ ...view, progress: { ...progress, phase: 'paused' } }, plain);
    const unserved = progressBlock({ ...view, notice: 'no worker serves this run' }, plain);
    const early = progressBlock(
      { ...view, rewards: [], tokens: 0, pace: { tokensPerSecond: null, etaMs: null } },
      plain,
    );
    for (const lines of [paused, unserved, early]) expect(lines.join('\n')).not.toMatch(/to go/);
    expect(early.join('\n')).not.toMatch(/tokens/);
  });

  it('is one line a change on anything but a terminal, and estimates are no change', () => {
    let written = '';
    const block = liveBlock(
      { write: (text: string | Uint8Array) => ((written += String(text)), true) } as never,
      false,
    );
    block.draw(progressBlock(view, plain));
    expect(written).toBe('');
    block.log(progressLine(view));
    expect(written).toBe(
      'toy-1  training · stage 2/2 (designer) iteration 3/12 · v000022 · reward 0.500 · avg@3 stage-01 60.7 %\n',
    );
    const later = { ...view, pace: { tokensPerSecond: 1, etaMs: 5 }, elapsedMs: 99_000 };
    expect(progressLine(later)).toBe(progressLine(view));
  });
});
