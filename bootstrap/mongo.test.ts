/** The order in which a store is looked for, and that a clone keeps to the program that wrote its data. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeMachine, fakePython, type FakeMachine } from './fake-programs.ts';
import { dataFolder, provisionMongo } from './mongo.mjs';
import { unreachable } from './network.mjs';

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

test('mongod is downloaded from a mirror, once, and a download that fails is remembered', async () => {
  const archive = join(machine.root, 'mongodb.tgz');
  mkdirSync(join(machine.root, 'mongodb-linux', 'bin'), { recursive: true });
  writeFileSync(join(machine.root, 'mongodb-linux', 'bin', 'mongod'), `#!/bin/sh\n${mongod}\n`, { mode: 0o755 });
  execFileSync('tar', ['-czf', archive, '-C', machine.root, 'mongodb-linux']);
  let answer: Buffer | null = null;
  let checksum = Buffer.from(`${'0'.repeat(32)}  mongodb.tgz`);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const body = request.url?.endsWith('.md5') ? checksum : answer;
    if (body === null) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': body.length }).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  // The download runs in a Node process, so the real environment is needed beside the mirror.
  const mirror = {
    ...process.env,
    MONGODB_URI: undefined,
    MONGOMS_DOWNLOAD_MIRROR: `http://127.0.0.1:${port}`,
    MONGOMS_VERSION: '8.0.4',
    MONGOMS_USE_HTTP: 'true',
  };
  const setting = { ...machine.setting(), probe: unreachable };
  const env = { ...mirror, ...setting.env, HTTPS_PROXY: '', https_proxy: '' };
  await expect(provisionMongo({ ...setting, env })).rejects.toThrow(/mongodb-memory-server download: .*404/);
  const requests = asked.length;
  await expect(provisionMongo({ ...setting, env })).rejects.toThrow(/0 min ago; tried again after an hour/);
  expect(asked).toHaveLength(requests);

  rmSync(join(machine.cacheDir, 'failures.json'));
  answer = readFileSync(archive);
  await expect(provisionMongo({ ...setting, env })).rejects.toThrow(/mongodb-memory-server download: .*MD5/);

  rmSync(join(machine.cacheDir, 'failures.json'));
  checksum = Buffer.from(`${createHash('md5').update(answer).digest('hex')}  mongodb.tgz`);
  const { found } = await provisionMongo({ ...setting, env });
  expect(found).toMatchObject({ kind: 'mongod', version: '8.0.4', source: 'mongodb-memory-server download' });
  expect(asked.at(-1)).toMatch(/mongodb-.*-8\.0\.4\.tgz\.md5$/);
  server.close();
  expect((await provisionMongo({ ...setting, env })).found).toMatchObject({ kind: 'mongod', source: 'cached' });
});
