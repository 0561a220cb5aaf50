/** The cache of programs: whole or absent, installed once, slow failures remembered for an hour. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedProgram, installProgram, recentFailure, rememberFailure } from './programs.mjs';

let cache: string;
beforeEach(() => (cache = mkdtempSync(join(tmpdir(), 'cache-'))));
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const fill = async (folder: string) => {
  writeFileSync(join(folder, 'tool'), '#!/bin/sh\n');
  return { name: 'tool', version: '1.0.0', source: 'test', entry: 'tool' };
};

test('two installations at once do the work once', async () => {
  let installs = 0;
  const install = async (folder: string) => {
    installs += 1;
    await new Promise((done) => setTimeout(done, 50));
    return fill(folder);
  };
  const both = await Promise.all([1, 2].map(() => installProgram(cache, 'tool-1', install, () => undefined)));
  expect(installs).toBe(1);
  expect(both.map((each) => typeof each === 'object' && each.path)).toEqual(
    Array(2).fill(join(cache, 'programs', 'tool-1', 'tool')),
  );
});

test('a failed installation leaves nothing behind and says why', async () => {
  const answer = await installProgram(
    cache,
    'tool-1',
    async () => 'no such wheel',
    () => undefined,
  );
  expect(answer).toBe('no such wheel');
  const broken = installProgram(
    cache,
    'tool-1',
    () => Promise.reject(new Error('disk full')),
    () => undefined,
  );
  await expect(broken).rejects.toThrow('disk full');
  expect(readdirSync(join(cache, 'programs'))).toEqual([]);
});

test('what a killed installation left is removed by the next', async () => {
  mkdirSync(join(cache, 'programs', '.partial-999999999-x'), { recursive: true });
  await installProgram(cache, 'tool-1', fill, () => undefined);
  expect(readdirSync(join(cache, 'programs'))).toEqual(['tool-1']);
});

test('a program whose Python is gone does not count as cached', async () => {
  const python = join(cache, 'python3');
  writeFileSync(python, '');
  await installProgram(
    cache,
    'tool-1',
    async (folder) => ({ ...(await fill(folder)), python }),
    () => undefined,
  );
  expect(cachedProgram(cache, 'tool-1')?.version).toBe('1.0.0');
  rmSync(python);
  expect(cachedProgram(cache, 'tool-1')).toBeNull();
});

test('a slow failure is remembered for one hour', () => {
  rememberFailure(cache, 'sdk', 'timed out');
  expect(recentFailure(cache, 'sdk')).toContain('timed out');
  expect(recentFailure(cache, 'sdk', Date.now() + 59 * 60_000)).toContain('59 min ago');
  expect(recentFailure(cache, 'sdk', Date.now() + 61 * 60_000)).toBeNull();
  expect(recentFailure(cache, 'other')).toBeNull();
});
