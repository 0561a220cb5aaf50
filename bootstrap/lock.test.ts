/** The lock against real processes: exclusion, takeover from the dead, and pids that were reused. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify, isAlive } from './identity.mjs';
import { withLock } from './lock.mjs';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'lock-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;
const held = (identity: { pid: number; startedAt: string | null }, extra = {}) =>
  JSON.stringify({ ...identity, host: hostname(), doing: 'a test', at: Date.now(), ...extra });

test('a process is told from another with the same pid', () => {
  const me = identify(process.pid);
  expect(isAlive(me)).toBe(true);
  expect(isAlive({ ...me, startedAt: 'some other boot:1' })).toBe(false);
  expect(isAlive({ pid: deadPid(), startedAt: null })).toBe(false);
});

test('four processes count to 100 under the lock without losing one', async () => {
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.mjs')).href)};
    for (let i = 0; i < 25; i++) await withLock(${JSON.stringify(join(folder, 'l'))}, 'count', async () => {
      const seen = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'));
      await new Promise((done) => setTimeout(done, 1));
      writeFileSync(${JSON.stringify(counter)}, String(seen + 1));
    });`;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  await Promise.all([run(), run(), run(), run()]);
  expect(readFileSync(counter, 'utf8')).toBe('100');
  expect(readdirSync(folder)).toEqual(['counter']);
});

test('a dead holder is replaced, also when its pid lives again', async () => {
  const path = join(folder, 'l');
  for (const holder of [
    { pid: deadPid(), startedAt: null },
    { pid: process.pid, startedAt: 'an earlier boot:7' },
  ]) {
    writeFileSync(path, held(holder));
    expect(await withLock(path, 'test', async () => 'mine', { timeoutMs: 2000 })).toBe('mine');
    expect(existsSync(path)).toBe(false);
  }
});

test('a living holder is waited for, named once, and named in the timeout', async () => {
  const path = join(folder, 'l');
  writeFileSync(path, held(identify(process.pid)));
  const waits: number[] = [];
  const attempt = withLock(path, 'test', async () => 1, { timeoutMs: 150, onWait: ({ pid }) => waits.push(pid) });
  await expect(attempt).rejects.toThrow(`still held by process ${process.pid} (a test)`);
  expect(waits).toEqual([process.pid]);
});

test('a holder on another machine keeps its lock until it lapses', async () => {
  const path = join(folder, 'l');
  writeFileSync(path, held({ pid: deadPid(), startedAt: null }, { host: 'elsewhere' }));
  await expect(withLock(path, 'test', async () => 1, { timeoutMs: 100 })).rejects.toThrow('still held');
  const longAgo = Date.now() - 21 * 60_000;
  writeFileSync(path, held({ pid: deadPid(), startedAt: null }, { host: 'elsewhere', at: longAgo }));
  expect(await withLock(path, 'test', async () => 1, { timeoutMs: 100 })).toBe(1);
});

test('the lock is released when the work throws', async () => {
  const path = join(folder, 'l');
  await expect(withLock(path, 'test', () => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
  expect(readdirSync(folder)).toEqual([]);
});
