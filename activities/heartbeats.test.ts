import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeats } from './heartbeats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const beatsOf = async (ms: number, seen: readonly unknown[]) => {
  const before = seen.length;
  await vi.advanceTimersByTimeAsync(ms);
  return seen.length - before;
};

describe('heartbeats of a worker', () => {
  it('come every 0.8 s where there are few, and end', async () => {
    const beats = new Heartbeats();
    const seen: number[] = [];
    const end = beats.open('run', 20_000, () => seen.push(1));
    expect(await beatsOf(8_000, seen)).toBe(10);
    end();
    end();
    expect(await beatsOf(8_000, seen)).toBe(0);
  });

  it.each([
    [8, 10],
    [100, 10],
    // Once in 12 s each, whatever it costs.
    [600, 50],
  ])('%i activities of a run: %i a second', async (activities, perSecond) => {
    const beats = new Heartbeats();
    const seen: number[] = [];
    const ends = Array.from({ length: activities }, (_, n) => beats.open('run', 20_000, () => seen.push(n)));
    await beatsOf(12_000, seen);
    const inTwelve = await beatsOf(12_000, seen);
    expect(inTwelve / 12).toBeGreaterThan(perSecond * 0.9);
    expect(inTwelve / 12).toBeLessThan(perSecond * 1.1);
    // Nobody is left out.
    expect(new Set(seen.slice(-inTwelve)).size).toBe(activities);
    for (const end of ends) end();
  });

  it('of a run with one activity come every 0.8 s beside a crowd', async () => {
    const beats = new Heartbeats();
    const ends = Array.from({ length: 100 }, () => beats.open('crowd', 20_000, () => undefined));
    const seen: number[] = [];
    ends.push(beats.open('small', 20_000, () => seen.push(1)));
    expect(await beatsOf(8_000, seen)).toBeGreaterThanOrEqual(10);
    for (const end of ends) end();
  });

  it('come in 0.6 of a heartbeat timeout at least', async () => {
    const beats = new Heartbeats();
    const ends = Array.from({ length: 300 }, () => beats.open('crowd', 60_000, () => undefined));
    const seen: number[] = [];
    ends.push(beats.open('short', 3_000, () => seen.push(1)));
    expect(await beatsOf(15_000, seen)).toBeGreaterThanOrEqual(8);
    for (const end of ends) end();
  });

  it('come at once, and then quickly, from all of a run of which one was cancelled', async () => {
    const beats = new Heartbeats();
    const seen: string[] = [];
    const ends = Array.from({ length: 400 }, (_, n) =>
      beats.open(n < 200 ? 'ended' : 'other', 20_000, () => seen.push(n < 200 ? `ended-${n}` : 'other')),
    );
    await beatsOf(8_000, seen);
    seen.length = 0;
    beats.hurry('ended');
    // The others were cancelled by then and say so again: no second wave.
    beats.hurry('ended');
    expect(seen).toHaveLength(200);
    expect(new Set(seen).size).toBe(200);
    await vi.advanceTimersByTimeAsync(850);
    expect(seen.filter((who) => who !== 'other')).toHaveLength(400);
    expect(seen.filter((who) => who === 'other').length).toBeLessThan(60);
    for (const end of ends) end();
    beats.hurry('ended');
  });
});
