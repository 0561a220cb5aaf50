/** A stopped process is not working: time in which nothing ran never becomes a design's `cpu-limit`. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

it.skipIf(process.platform !== 'linux')('does not count time in which the process was stopped', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tests/engine/lone-script.ts'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('running');
  await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  child.kill('SIGCONT');
  expect(JSON.parse((await lines.next()).value as string)).toEqual({ outcome: 'replied', why: null });
});
