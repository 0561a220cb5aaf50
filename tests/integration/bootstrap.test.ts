/**
 * The real servers under the real supervisor: what was acknowledged survives `kill -9` of the store, of the Temporal
 * server and of their owner; a second start joins; nothing is left after the stop.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAlive } from '../../bootstrap/identity.mjs';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import type { Cli } from '../../cli/command.ts';
import { withSession } from '../../cli/session.ts';
import type { Session } from '../../cli/session.ts';
import type { StackAddresses } from '../../cli/stack/addresses.ts';
import { startDetached } from '../../cli/stack/daemon.ts';
import { changeRecord, living, readRecord } from '../../cli/stack/record.ts';
import { ensureStack, stopStack, type Stack } from '../../cli/stack/stack.ts';
import { pingTemporal, searchAttributes } from '../../cli/stack/temporal-server.ts';
import { startWorkers } from '../../cli/stack/workers.ts';
import { noPaint } from '../../cli/view/paint.ts';
import { localEnvironment } from '../helpers/servers.ts';

const anyPorts = { temporal: 0, ui: 0, mongo: 0 };
/** For what takes a second on a machine that has nothing else to do. */
const patiently = { timeout: 120_000, interval: 20 };
const acknowledged = { writeConcern: { w: 'majority', journal: true } } as const;
let stateDir: string;
let lines: string[];
const opened: Stack[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'stack-'));
  lines = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stack of opened.splice(0)) await stack.stop();
  await stopStack(stateDir);
  rmSync(stateDir, { recursive: true, force: true });
});

async function open(): Promise<Stack> {
  const stack = await ensureStack({
    stateDir,
    log: (line) => lines.push(line),
    ports: readRecord(stateDir).ports ?? anyPorts,
    env: localEnvironment(),
  });
  opened.push(stack);
  return stack;
}

/** A process that brings the stack up, at its beginning. */
const startOwner = () =>
  spawn(process.execPath, ['--import', 'tsx', 'cli/stack/daemon.ts', stateDir], {
    cwd: cloneRoot,
    env: localEnvironment(),
    stdio: 'ignore',
  });

/** Pids of detached stacks of this state folder. */
const daemons = () =>
  spawnSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes('daemon.ts') && line.includes(stateDir));

async function withDatabase<T>(
  { mongoUri, database }: StackAddresses,
  work: (all: MongoClient) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(mongoUri, { ...acknowledged, serverSelectionTimeoutMS: 20_000 });
  try {
    expect(database).toBe('metaagentx');
    return await work(client);
  } finally {
    await client.close();
  }
}

const put = (addresses: StackAddresses, id: string) =>
  withDatabase(addresses, (client) => client.db().collection<{ _id: string }>('kept').insertOne({ _id: id }));
const ids = (addresses: StackAddresses) =>
  withDatabase(addresses, async (client) =>
    (await client.db().collection('kept').find().toArray()).map(({ _id }) => String(_id)),
  );
const pid = (name: string) => living(readRecord(stateDir), name)?.identity.pid ?? 0;

test('both servers come back after kill -9 with what they had, and the stop leaves nothing', async () => {
  const stack = await open();
  expect(stack.owned).toEqual(expect.arrayContaining(['temporal', 'mongo']));
  await put(stack.addresses, 'before');
  const first = { temporal: pid('temporal'), mongo: pid('mongo') };
  for (const each of Object.values(first)) process.kill(each, 'SIGKILL');
  await vi.waitFor(() => expect(lines.filter((line) => line.includes('is back'))).toHaveLength(2), patiently);
  expect(lines.filter((line) => line.includes('ended with SIGKILL'))).toHaveLength(2);
  expect([pid('temporal'), pid('mongo')]).not.toEqual(Object.values(first));
  expect(await ids(stack.addresses)).toEqual(['before']);
  expect(await pingTemporal({ address: stack.addresses.temporalAddress }, 'default')).toBeNull();

  const all = readRecord(stateDir).processes;
  await stack.stop();
  expect(all.map(({ identity }) => isAlive(identity))).toEqual([false, false]);
  expect(readRecord(stateDir).processes).toEqual([]);
});

test('the search attributes and the UI are there', async () => {
  const { addresses } = await open();
  const connection = await Connection.connect({ address: addresses.temporalAddress });
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
  await connection.close();
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(searchAttributes)));
  const page = await fetch(`${addresses.uiUrl}/`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<html');
});

test('a second start keeps ports and data, and a start beside a living owner joins it', async () => {
  const first = await open();
  await put(first.addresses, 'one');
  const joined = await open();
  expect(joined.owned).toEqual([]);
  expect(joined.addresses).toEqual(first.addresses);
  await joined.stop();
  expect(await ids(first.addresses)).toEqual(['one']);
  await first.stop();
  const again = await open();
  expect(again.addresses).toEqual(first.addresses);
  expect(await ids(again.addresses)).toEqual(['one']);
});

test('pages that end with a command are named while it works, those of others also for later', async () => {
  // A command whose environment says that it is under test does not run.
  vi.stubEnv('VITEST', undefined);
  await changeRecord(stateDir, (record) => ({ ...record, ports: anyPorts, dashboardPort: 0 }));
  const cli: Cli = {
    environment: { ...localEnvironment(), METAAGENTX_STATE: stateDir },
    log: (line) => void lines.push(line),
    signal: new AbortController().signal,
    ...{ json: false, width: 100, paint: noPaint, logPaint: noPaint },
    live: () => Promise.reject(new Error('nothing is shown')),
  };
  const needs = { stack: 'started', workers: 'none' } as const;
  const pages = ({ uiUrl, dashboardUrl }: Session['lasting']) => [uiUrl('run-1'), dashboardUrl()];
  await withSession(cli, { ...needs, dashboard: 'started' }, async (session) => {
    for (const url of pages(session)) expect((await fetch(url!)).status).toBe(200);
    expect(pages(session.lasting)).toEqual([null, null]);
    await withSession(cli, needs, async (guest) => {
      expect(guest.uiUrl('run-1')).toBe(session.uiUrl('run-1'));
      expect(guest.lasting.uiUrl('run-1')).toBe(session.uiUrl('run-1'));
    });
  });
});

test('two owners at once become one owner and one guest', async () => {
  const [a, b] = await Promise.all([open(), open()]);
  expect(a.addresses).toEqual(b.addresses);
  expect([a.owned.length, b.owned.length].sort()).toEqual([0, 2]);
});

test('after kill -9 of the owner the next start takes over the running servers', async () => {
  const { pid: owner } = await startDetached({
    stateDir,
    queues: [],
    log: (line) => lines.push(line),
    env: localEnvironment(),
  });
  const servers = { temporal: pid('temporal'), mongo: pid('mongo') };
  const { addresses } = readRecord(stateDir);
  await put(addresses!, 'from the first owner');
  process.kill(owner!, 'SIGKILL');
  await vi.waitFor(() => expect(isAlive({ pid: owner!, startedAt: null })).toBe(false), patiently);
  const stack = await open();
  expect(lines.filter((line) => line.includes('took over process'))).toHaveLength(2);
  expect({ temporal: pid('temporal'), mongo: pid('mongo') }).toEqual(servers);
  expect(await ids(stack.addresses)).toEqual(['from the first owner']);
  await stack.stop();
  expect([
    isAlive({ pid: servers.temporal, startedAt: null }),
    isAlive({ pid: servers.mongo, startedAt: null }),
  ]).toEqual([false, false]);
});

test('a server whose owner is killed before it answers is on record, and the stop ends it', async () => {
  const child = startOwner();
  const gone = once(child, 'exit');
  await vi.waitFor(() => expect(living(readRecord(stateDir), 'temporal')).not.toBeNull(), patiently);
  child.kill('SIGKILL');
  const { addresses, processes } = readRecord(stateDir);
  // They are known once the servers answer.
  expect(addresses).toBeNull();
  await gone;
  await stopStack(stateDir);
  expect(processes.filter(({ identity }) => isAlive(identity))).toEqual([]);
});

test('a detached stack outlives its starter and is stopped from outside', async () => {
  const { pid: owner } = await startDetached({
    stateDir,
    queues: [],
    log: (line) => lines.push(line),
    env: localEnvironment(),
  });
  const { addresses, processes } = readRecord(stateDir);
  await put(addresses!, 'x');
  expect(await stopStack(stateDir)).toEqual(expect.arrayContaining(['temporal', 'mongo']));
  // The dashboard may be on record too, as soon as its process exists.
  expect(processes.map(({ name }) => name)).toEqual(expect.arrayContaining(['temporal', 'mongo']));
  const left = [...processes.map(({ identity }) => identity), { pid: owner!, startedAt: null }];
  expect(left.filter((identity) => isAlive(identity))).toEqual([]);
});

test('detaching again joins what runs and leaves no process that the stop does not know', async () => {
  const options = { stateDir, queues: [], log: (line: string) => lines.push(line), env: localEnvironment() };
  const { pid: owner } = await startDetached(options);
  for (let again = 0; again < 2; again++) expect((await startDetached(options)).pid).toBe(owner);
  await stopStack(stateDir);
  await vi.waitFor(() => expect(daemons()).toEqual([]), patiently);
});

test('Ctrl-C during the start leaves nothing running', async () => {
  const child = startOwner();
  const gone = once(child, 'exit');
  await vi.waitFor(() => expect(readRecord(stateDir).processes.length).toBeGreaterThan(0), patiently);
  const { processes } = readRecord(stateDir);
  child.kill('SIGINT');
  await gone;
  expect(processes.some(({ identity }) => isAlive(identity))).toBe(false);
  expect(readRecord(stateDir).processes).toEqual([]);
});

test('aborting during the start ends it at once, for the reason given', async () => {
  const ending = new AbortController();
  const start = ensureStack({
    stateDir,
    log: () => undefined,
    ports: anyPorts,
    env: localEnvironment(),
    signal: ending.signal,
  });
  const refused = expect(start).rejects.toThrow('enough');
  await vi.waitFor(() => expect(readRecord(stateDir).processes.length).toBeGreaterThan(0), patiently);
  const { processes } = readRecord(stateDir);
  ending.abort(new Error('enough'));
  await refused;
  const left = [...processes, ...readRecord(stateDir).processes];
  expect(left.filter(({ identity }) => isAlive(identity))).toEqual([]);
});

test('workers are restarted, served once per clone, and stopped before the servers', async () => {
  const stack = await open();
  const script =
    'console.log("at " + process.env.TEMPORAL_ADDRESS); console.log("ready " + process.argv[1]); setInterval(() => {}, 1000)';
  const command = (queue: string) => ({ program: process.execPath, args: ['-e', script, queue] });
  const log = (line: string) => void lines.push(line);
  const workers = await startWorkers({ stack, queues: ['gpu', 'sandbox'], log, command });
  expect(workers.owned).toEqual(['gpu', 'sandbox']);
  const killed = workers.pid('gpu') ?? 0;
  process.kill(killed, 'SIGKILL');
  await vi.waitFor(() => expect(lines.some((line) => line.startsWith('worker-gpu is back'))).toBe(true), patiently);
  expect(workers.pid('gpu')).not.toBe(killed);
  const second = await startWorkers({ stack: await open(), queues: ['gpu'], log, command });
  expect(second.owned).toEqual([]);
  expect(second.pid('gpu')).toBe(workers.pid('gpu'));
  const all = readRecord(stateDir).processes;
  expect(all).toHaveLength(4);
  await stack.stop();
  const stopped = lines.filter((line) => line.endsWith(': stopped')).map((line) => line.split(':')[0]);
  expect([stopped.slice(0, 2).sort(), stopped.slice(2)]).toEqual([
    ['worker-gpu', 'worker-sandbox'],
    ['temporal', 'mongo'],
  ]);
  expect(all.some(({ identity }) => isAlive(identity))).toBe(false);
});

test('a worker that cannot start is told with its last words, and its siblings are stopped', async () => {
  const stack = await open();
  const script =
    'process.argv[1] === "gpu" ? process.exit(console.error("Error: no engine") ?? 4) : console.log("ready control"); setInterval(() => {}, 1000)';
  const command = (queue: string) => ({ program: process.execPath, args: ['-e', script, queue] });
  const attempt = startWorkers({ stack, queues: ['control', 'gpu'], log: () => undefined, command });
  await expect(attempt).rejects.toThrow(/worker-gpu ended with exit code 4.*Error: no engine/);
  expect(living(readRecord(stateDir), 'worker-control')).toBeNull();
});

test('configured servers that do not answer are named with what to do', async () => {
  const attempt = ensureStack({
    stateDir,
    log: () => undefined,
    env: { ...localEnvironment(), TEMPORAL_ADDRESS: '127.0.0.1:1', MONGODB_URI: 'mongodb://127.0.0.1:2/x' },
  });
  await expect(attempt).rejects.toThrow(
    /Temporal server at 127\.0\.0\.1:1 \(TEMPORAL_ADDRESS\).*unset it to use a local/,
  );
  expect(readRecord(stateDir).processes).toEqual([]);
});

test('a configured server is used, its missing search attributes are added, and it is left running', async () => {
  const theirs = await open();
  const other = mkdtempSync(join(tmpdir(), 'stack-'));
  const configured = await ensureStack({
    stateDir: other,
    log: (line) => lines.push(line),
    env: {
      ...localEnvironment(),
      TEMPORAL_ADDRESS: theirs.addresses.temporalAddress,
      MONGODB_URI: theirs.addresses.mongoUri,
    },
  });
  expect(configured.owned).toEqual([]);
  expect(configured.addresses).toEqual({ ...theirs.addresses, uiUrl: null });
  await configured.stop();
  rmSync(other, { recursive: true });
  expect(await pingTemporal({ address: theirs.addresses.temporalAddress }, 'default')).toBeNull();
});
