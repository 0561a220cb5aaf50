/** What the bootstrap says and refuses, and the small parts it is made of. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findAll, lastWords, runCommand } from './command.mjs';
import { checkNode } from './main.mjs';
import { tryConnect } from './network.mjs';
import { cacheFolder, stateFolder } from './paths.mjs';
import { makeReport } from './report.mjs';

test('old Node versions are refused with the wanted one', () => {
  expect(() => checkNode('20.18.3')).toThrow('Node.js is 20.18.3, expected >= 20.19');
  expect(() => checkNode('18.20.0')).toThrow('expected >= 20.19');
  for (const version of ['20.19.0', '22.1.0', '24.0.0']) expect(() => checkNode(version)).not.toThrow();
});

test('folders follow their variables', () => {
  expect(cacheFolder({ METAAGENTX_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe(join('/b', 'metaagentx'));
  expect(stateFolder({ METAAGENTX_STATE: '/s' })).toBe('/s');
  expect(stateFolder({})).toMatch(/\.metaagentx$/);
});

test('nothing to do is one line; work shows every step', () => {
  const quiet: string[] = [];
  const idle = makeReport((line) => quiet.push(line));
  idle.found('node', '20.20.2');
  idle.found('temporal', '1.9.1 (cached)');
  idle.end();
  expect(quiet).toEqual(['setup         ready: node 20.20.2; temporal 1.9.1 (cached)']);
  const loud: string[] = [];
  const busy = makeReport((line) => loud.push(line));
  busy.found('node', '20.20.2');
  busy.work('temporal', 'installing');
  busy.end();
  expect(loud).toEqual(['node          20.20.2', 'temporal      installing', 'setup         ready']);
});

test('a command past its time is ended with its children, and says so', async () => {
  const before = Date.now();
  // Long enough for a shell to begin on a machine that is busy.
  const outcome = await runCommand('/bin/sh', ['-c', 'echo begun; sleep 60 & sleep 60'], { timeoutMs: 1500 });
  expect(Date.now() - before).toBeLessThan(30_000);
  expect(outcome).toMatchObject({ timedOut: true, stdout: 'begun\n' });
  expect(lastWords(outcome)).toBe('(out of time) | begun');
});

test('a command that does not exist is an outcome, not an exception', async () => {
  const outcome = await runCommand('/no/such/program', []);
  expect(outcome.code).toBeNull();
  expect(outcome.stderr).toContain('ENOENT');
});

test('only executable files count as programs, in the order of the PATH', () => {
  const folder = mkdtempSync(join(tmpdir(), 'path-'));
  writeFileSync(join(folder, 'mongod'), '', { mode: 0o644 });
  expect(findAll('mongod', { PATH: folder })).toEqual([]);
  writeFileSync(join(folder, 'temporal'), '', { mode: 0o755 });
  expect(findAll('temporal', { PATH: `/nowhere:${folder}` })).toEqual([join(folder, 'temporal')]);
  rmSync(folder, { recursive: true });
});

test('an unreachable site is told quickly', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  expect(await tryConnect('127.0.0.1', port, 15_000)).toBeNull();
  await new Promise((done) => server.close(done));
  expect(await tryConnect('127.0.0.1', port, 15_000)).toContain('refused');
  expect(await tryConnect('no-such-host.invalid', 443, 1000)).toContain('does not resolve');
});

test('an unknown argument ends with exit code 2 and the usage', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.mjs'), '--wrong'], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toContain('unknown argument --wrong\nusage: node bootstrap/main.mjs');
});
