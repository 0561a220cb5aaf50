/** The order in which a store is looked for, and that a clone keeps to the program that wrote its data. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeMachine, fakePython, type FakeMachine } from './fake-programs.ts';
import { dataFolder, provisionMongo } from './mongo.mjs';

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => rmSync(machine.root, { recursive: true, force: true }));

const mongod = 'echo "db version v8.0.4"';
const wheel = (text = '--sync-on-commit') =>
  `/bin/mkdir -p "$target/secantus"; echo "${text}" > "$target/secantus/cli.py"`;
const addPython = (install: string, version?: string) =>
  machine.add('python3', fakePython(join(machine.root, 'bin', 'python3'), install, version));

test('a configured store comes first, and a wrong connection string is said', async () => {
  machine.add('mongod', mongod);
  const { found } = await provisionMongo(machine.setting({ MONGODB_URI: 'mongodb://db.example/x' }));
  expect(found).toEqual({ kind: 'external', uri: 'mongodb://db.example/x', source: 'MONGODB_URI' });
  const { passed } = await provisionMongo(machine.setting({ MONGODB_URI: 'db.example:27017' }));
  expect(passed[0]).toContain('is no connection string; expected mongodb://');
});

test('then mongod on the PATH', async () => {
  const path = machine.add('mongod', mongod);
  const { found } = await provisionMongo(machine.setting());
  expect(found).toEqual({ kind: 'mongod', path, version: '8.0.4', source: 'on the PATH' });
});

test('SecantusDB is installed with pinned versions, once', async () => {
  const python = addPython(wheel());
  const first = await provisionMongo(machine.setting());
  expect(first.found).toMatchObject({ kind: 'secantus', python, version: '0.7.0b3', source: 'PyPI' });
  const [folder] = readdirSync(join(machine.cacheDir, 'programs'));
  const pins = readFileSync(join(machine.cacheDir, 'programs', folder ?? '', 'constraints.txt'), 'utf8');
  expect(pins).toContain('numpy==2.4.6\n');
  const second = await provisionMongo(machine.setting());
  expect(second.found).toMatchObject({ kind: 'secantus', source: 'cached' });
  expect(machine.said).toHaveLength(1);
});

test('Python 3.10 gets the last versions made for it', async () => {
  addPython(wheel(), '3.10.4');
  await provisionMongo(machine.setting());
  const [folder] = readdirSync(join(machine.cacheDir, 'programs'));
  const pins = readFileSync(join(machine.cacheDir, 'programs', folder ?? '', 'constraints.txt'), 'utf8');
  expect(pins).toContain('numpy==2.2.6\n');
});

test('a SecantusDB that cannot sync on commit is refused', async () => {
  addPython(wheel('--nothing'));
  await expect(provisionMongo(machine.setting())).rejects.toThrow(/no --sync-on-commit[^]*Install MongoDB/);
});

test('data written by SecantusDB keeps SecantusDB, though mongod appeared', async () => {
  machine.add('mongod', mongod);
  addPython(wheel());
  mkdirSync(dataFolder(machine.stateDir, 'secantus'));
  expect((await provisionMongo(machine.setting())).found.kind).toBe('secantus');
});

test('data written by mongod is never opened with SecantusDB', async () => {
  addPython(wheel());
  mkdirSync(dataFolder(machine.stateDir, 'mongod'));
  await expect(provisionMongo(machine.setting())).rejects.toThrow('was written by mongod');
});
