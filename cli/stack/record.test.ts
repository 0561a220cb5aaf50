/** Addresses, ports and the stack's record. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { identify } from '../../bootstrap/identity.mjs';
import { databaseOf, stackEnvironment } from './addresses.ts';
import { choosePort, isFree } from './ports.ts';
import { changeRecord, living, readRecord, withoutProcess, withProcess } from './record.ts';

let stateDir: string;
beforeEach(() => (stateDir = mkdtempSync(join(tmpdir(), 'record-'))));
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const me = identify(process.pid);
const entry = (name: string, identity = me) => ({ name, identity, supervisor: me, log: '' });

test('the database is the one that the connection string names', () => {
  expect(databaseOf('mongodb://user:p%40ss@a:1,b:2/training?replicaSet=r')).toBe('training');
  expect(databaseOf('mongodb+srv://cluster.example/my%20data')).toBe('my data');
  expect(databaseOf('mongodb://a:1')).toBe('metaagentx');
  expect(databaseOf('mongodb://a:1/?w=1')).toBe('metaagentx');
});

test('workers learn the addresses from their environment', () => {
  const addresses = { temporalAddress: 'h:1', namespace: 'n', uiUrl: null, mongoUri: 'mongodb://m', database: 'd' };
  expect(stackEnvironment(addresses, '/s')).toEqual({
    TEMPORAL_ADDRESS: 'h:1',
    TEMPORAL_NAMESPACE: 'n',
    MONGODB_URI: 'mongodb://m',
    METAAGENTX_DATABASE: 'd',
    METAAGENTX_STATE: '/s',
  });
});

test('a wanted port is kept while it is free and not promised already', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  expect(await isFree(port)).toBe(false);
  expect(await choosePort(port)).not.toBe(port);
  await new Promise((done) => server.close(done));
  expect(await choosePort(port)).toBe(port);
  expect(await choosePort(port, new Set([port]))).not.toBe(port);
});

test('any port is one that the system gives to nobody else', async () => {
  for (let n = 0; n < 20; n++) {
    const port = await choosePort(0);
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  }
});

test('changes from all sides are kept', async () => {
  const names = ['temporal', 'mongo', 'worker-gpu', 'worker-control'];
  await Promise.all(names.map((name) => changeRecord(stateDir, (record) => withProcess(record, entry(name)))));
  expect(
    readRecord(stateDir)
      .processes.map(({ name }) => name)
      .sort(),
  ).toEqual([...names].sort());
  await changeRecord(stateDir, (record) => withoutProcess(record, 'mongo', me));
  expect(readRecord(stateDir).processes).toHaveLength(3);
});

test('an entry that was replaced meanwhile is not taken out by its predecessor', () => {
  const record = withProcess(readRecord(stateDir), entry('mongo', { pid: 1, startedAt: 'new' }));
  expect(withoutProcess(record, 'mongo', { pid: 2, startedAt: 'old' }).processes).toHaveLength(1);
});

test('only exactly the recorded process counts as living', () => {
  const record = readRecord(stateDir);
  expect(living(withProcess(record, entry('mongo')), 'mongo')?.identity).toEqual(me);
  expect(living(withProcess(record, entry('mongo', { ...me, startedAt: 'before' })), 'mongo')).toBeNull();
  expect(living(record, 'mongo')).toBeNull();
});

test('a damaged or foreign record counts as none', () => {
  writeFileSync(join(stateDir, 'stack.json'), '{"version":1,"proc');
  expect(readRecord(stateDir).processes).toEqual([]);
  writeFileSync(join(stateDir, 'stack.json'), '{"version":7,"processes":[{}]}');
  expect(readRecord(stateDir).processes).toEqual([]);
});
