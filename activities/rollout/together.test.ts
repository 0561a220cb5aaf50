import { expect, it } from 'vitest';
import { together } from './together.ts';

const never = new AbortController().signal;

it('gives the results in order', async () => {
  expect(await together(never, [async () => 1, async () => 2])).toEqual([1, 2]);
});

it('aborts the others at the first failure and waits for them', async () => {
  const events: string[] = [];
  const failing = async () => {
    await Promise.resolve();
    throw new Error('first');
  };
  const patient = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        events.push(`aborted: ${(signal.reason as Error).message}`);
        setTimeout(() => {
          events.push('cleaned up');
          reject(new Error('second'));
        }, 20);
      });
    });
  await expect(together(never, [patient, failing])).rejects.toThrow('first');
  expect(events).toEqual(['aborted: first', 'cleaned up']);
});

it('hands the caller’s abort on', async () => {
  const controller = new AbortController();
  const task = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const all = together(controller.signal, [task, task]);
  controller.abort(new Error('stop'));
  await expect(all).rejects.toThrow('stop');
});
