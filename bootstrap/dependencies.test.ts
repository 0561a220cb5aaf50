/** When node_modules counts as fresh, right but unstamped, stale or missing; and the clone's own command. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dependencyState, ensureDependencies, linkCommand } from './dependencies.mjs';
import { makeReport } from './report.mjs';

let root: string;
const lines: string[] = [];
const report = makeReport((line) => lines.push(line));
const write = (path: string, packages: object) => writeFileSync(join(root, path), JSON.stringify({ packages }));
const locked = {
  '': { version: '0' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/b-darwin': { version: '2.0.0', optional: true },
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'clone-'));
  write('package-lock.json', locked);
  lines.length = 0;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('missing, stale, unstamped, fresh', async () => {
  expect(dependencyState(root)).toBe('missing');
  mkdirSync(join(root, 'node_modules'));
  expect(dependencyState(root)).toBe('stale');
  write('node_modules/.package-lock.json', { 'node_modules/a': { version: '0.9.0' } });
  expect(dependencyState(root)).toBe('stale');
  // An optional package of another platform may be absent.
  write('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
  expect(dependencyState(root)).toBe('unstamped');
  await ensureDependencies(root, {}, report);
  expect(dependencyState(root)).toBe('fresh');
  write('package-lock.json', { ...locked, 'node_modules/a': { version: '1.0.1' } });
  expect(dependencyState(root)).toBe('stale');
  expect(lines).toEqual([]);
});

test('a package that the lock file dropped makes it stale', () => {
  mkdirSync(join(root, 'node_modules'));
  write('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' }, 'node_modules/old': {} });
  expect(dependencyState(root)).toBe('stale');
});

test('without npm the failure says what to install', async () => {
  const attempt = ensureDependencies(root, { PATH: join(root, 'empty') }, report);
  await expect(attempt).rejects.toThrow('npm is not on the PATH; install Node.js');
});

test('npm ci runs without lifecycle scripts, and its failure is shown with its last words', async () => {
  const npm = join(root, 'npm');
  writeFileSync(npm, `#!/bin/sh\necho "args: $*"\necho "E404 no such package" >&2\nexit 1\n`, { mode: 0o755 });
  const attempt = ensureDependencies(root, { PATH: root }, report);
  await expect(attempt).rejects.toThrow(/exit 1.*args: ci --ignore-scripts.*E404 no such package/);
  expect(lines.join()).toContain('npm ci --ignore-scripts (no node_modules yet)');
});

test('the clone links its own command, and only once', () => {
  linkCommand(root);
  const link = join(root, 'node_modules', '.bin', 'metaagentx');
  expect(readlinkSync(link)).toBe(join('..', '..', 'bin', 'metaagentx.mjs'));
  const before = lstatSync(link).ino;
  linkCommand(root);
  expect(lstatSync(link).ino).toBe(before);
});

test('npx runs the linked command of this clone, not a copy in a cache of its own', () => {
  // A `bin` in package.json would make npx install the clone into its cache and run that.
  const clone = fileURLToPath(new URL('..', import.meta.url));
  linkCommand(clone);
  const cache = join(root, 'npm-cache');
  const env = { ...process.env, VITEST: undefined, npm_config_cache: cache, npm_config_offline: 'true' };
  const version = execFileSync('npx', ['metaagentx', '--version'], { cwd: clone, env, encoding: 'utf8' });
  expect(version.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  expect(existsSync(join(cache, '_npx'))).toBe(false);
});
