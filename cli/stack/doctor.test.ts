/** The doctor's rows on a machine that lacks things, and the bin's own refusals. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeMachine, fakePython, type FakeMachine } from '../../bootstrap/fake-programs.ts';
import { identify } from '../../bootstrap/identity.mjs';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { checkClock, checkDependencies, checkFolder, checkOnnxRuntime, checkPorts, runDoctor } from './doctor.ts';
import { checkPythonSandbox } from './doctor-sandbox.ts';
import { changeRecord, withProcess } from './record.ts';

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => rmSync(machine.root, { recursive: true, force: true }));

const row = async (name: string, env: Record<string, string> = {}) => {
  const { cacheDir, stateDir, env: base } = machine.setting();
  const rows = await runDoctor({ cacheDir, stateDir, env: { ...base, ...env } });
  return rows.find((each) => each.name === name);
};

test('what setup would install is said, and nothing is installed', async () => {
  const python = join(machine.root, 'bin', 'python3');
  machine.add('python3', fakePython(python, 'echo must not run >&2; exit 1'));
  const mongo = await row('mongo');
  expect(mongo).toMatchObject({ ok: false, fix: 'npm run setup' });
  expect(mongo?.detail).toMatch(/^not installed yet; setup would do: (installing SecantusDB|downloading mongod)/);
  expect(await row('python')).toEqual({ name: 'python', ok: true, detail: `3.12.1 (${python})`, fix: '' });
});

test('a configured store that does not answer is a bad row with what to do', async () => {
  const mongo = await row('mongo', { MONGODB_URI: 'mongodb://me:secret@127.0.0.1:1/x' });
  expect(mongo).toMatchObject({ ok: false, fix: 'correct the address, or unset it to use a local server' });
  expect(mongo?.detail).toContain('127.0.0.1:1/x');
  expect(JSON.stringify(mongo)).not.toContain('secret');
});

test('a program on the PATH is named with its version', async () => {
  const path = machine.add('temporal', 'echo "temporal version 1.5.0 (Server 1.29.0)"');
  expect(await row('temporal')).toMatchObject({ ok: true, detail: `1.5.0 (on the PATH, ${path}), not running` });
});

test('a recorded server that lives but does not answer is bad, with its log', async () => {
  machine.add('mongod', 'echo "db version v8.0.4"');
  const [me, log] = [identify(process.pid), join(machine.root, 'mongo.log')];
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  await changeRecord(machine.stateDir, (record) => ({
    ...withProcess(record, { name: 'mongo', identity: me, supervisor: me, log }),
    ports: { temporal: 1, ui: 1, mongo: port },
  }));
  const mongo = await row('mongo');
  expect(mongo?.ok).toBe(false);
  expect(mongo?.detail).toContain(
    `mongod 8.0.4 (on the PATH), pid ${process.pid} on port ${port}: connect ECONNREFUSED`,
  );
  expect(mongo?.fix).toContain(log);
});

test('the tier of the Python sandbox, or why there is none', async () => {
  const { detail, ok } = await checkPythonSandbox({});
  expect(ok).toBe(true);
  expect(detail).toMatch(/^(tier [ABC]: .* canaries passed|none \(needed for code questions)/);
  const without = await checkPythonSandbox({ minTier: 'B', bubblewrap: join(machine.root, 'missing') });
  expect(without).toMatchObject({ ok: true, fix: '' });
  expect(without.detail).toMatch(/^none .*bubblewrap \(bwrap\) is not installed.*apt-get install/);
});

test('missing dependencies, an unwritable folder, taken ports and a wrong clock', async () => {
  expect(checkDependencies(machine.root)).toMatchObject({ ok: false, detail: 'node_modules is missing' });
  const file = join(machine.root, 'file');
  writeFileSync(file, '');
  expect(checkFolder('cache folder', join(file, 'x'), 'METAAGENTX_CACHE')).toMatchObject({
    ok: false,
    detail: `${file} is a file`,
  });
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await changeRecord(machine.stateDir, (record) => ({ ...record, ports: { temporal: port, ui: 1, mongo: 2 } }));
  const { detail, ok } = await checkPorts({ ...machine.setting() });
  server.close();
  expect(ok).toBe(true);
  expect(detail).toContain(`temporal ${port} taken, another will be chosen`);
  expect(checkClock(new Date('1999-01-01'))).toMatchObject({ ok: false });
  expect(checkClock()).toMatchObject({ ok: true });
});

test('ONNX Runtime loads and names what it can run on', async () => {
  const seen = await checkOnnxRuntime();
  expect(seen.ok).toBe(true);
  expect(seen.detail).toMatch(/^1\.\d+\.\d+: cpu/);
});

test('the command says how to install what it needs', () => {
  const clone = mkdtempSync(join(tmpdir(), 'bare-'));
  mkdirSync(join(clone, 'bin'));
  copyFileSync(join(cloneRoot, 'bin', 'metaagentx.mjs'), join(clone, 'bin', 'metaagentx.mjs'));
  const { status, stderr } = spawnSync(process.execPath, [join(clone, 'bin', 'metaagentx.mjs'), 'list'], {
    encoding: 'utf8',
  });
  rmSync(clone, { recursive: true });
  expect(status).toBe(1);
  expect(stderr).toContain('the dependencies are not installed; run `npm run setup` in');
});
