/**
 * Programs that show whether a tier holds: one good program, and one attempt each at what must be impossible. None has
 * an effect where it succeeds: targets are made for the test, signals are number 0, calls have empty arguments.
 * Knows what a contained program may see, not how containment is done.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PythonRun, PythonTestResult } from './contract.ts';
import { cleanEnvironment } from './command.ts';

/** Things that exist on the host only to be reached for. */
export interface Bait {
  secretFile: string;
  secret: string;
  port: number;
  socketFile: string;
  /** True once something connected. */
  touched: () => boolean;
  remove: () => Promise<void>;
}

export interface Canary {
  name: string;
  /** `works`: its failure makes a tier unusable. `contained`: its failure means that the tier is broken. */
  shows: 'works' | 'contained';
  run: (bait: Bait) => Pick<PythonRun, 'source' | 'style' | 'functionName'> & { input: string };
  limits?: Partial<PythonRun['limits']>;
  /** What was wrong, or null. */
  check: (result: PythonTestResult, bait: Bait) => string | null;
}

const listening = (server: Server, where: number | string) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });

/** A readable secret file and two listeners, TCP on loopback and a Unix socket. */
export async function layBait(): Promise<Bait> {
  const folder = await mkdtemp(join(tmpdir(), 'metaagentx-bait-'));
  // Readable by everyone: only the sandbox stands between a program and the file.
  await chmod(folder, 0o755);
  const secretFile = join(folder, 'secret');
  const secret = `secret-${process.pid}-of-the-canary`;
  await writeFile(secretFile, secret, { mode: 0o644 });
  let touched = false;
  const servers = [0, join(folder, 'socket')].map((where) => ({
    where,
    server: createServer((socket) => {
      touched = true;
      socket.destroy();
    }),
  }));
  for (const { server, where } of servers) await listening(server, where);
  const address = servers[0]!.server.address();
  await chmod(join(folder, 'socket'), 0o777);
  return {
    secretFile,
    secret,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    socketFile: join(folder, 'socket'),
    touched: () => touched,
    remove: async () => {
      await Promise.all(servers.map(({ server }) => new Promise((done) => server.close(done))));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const script = (source: string, input = '') => ({ source, style: 'stdio' as const, functionName: null, input });
/** Runs `body`; prints `refused` when the system refused it, `did it` when not. */
const attempt = (body: string) =>
  `import os, sys\ntry:\n${body.replace(/^/gm, '    ')}\nexcept OSError as error:\n    print('refused', error.errno)\nelse:\n    print('did it')\n`;
const refused = (result: PythonTestResult) =>
  result.status === 'ok' && /^refused \d+\n$/.test(result.stdout)
    ? null
    : `expected a refusal, saw ${result.status} ${JSON.stringify((result.stdout + (result.error ?? '')).slice(0, 200))}`;
const untouched = (result: PythonTestResult, bait: Bait) =>
  bait.touched() ? 'a connection reached the host' : refused(result);
const ends = (status: PythonTestResult['status']) => (result: PythonTestResult) =>
  result.status === status ? null : `expected ${status}, saw ${result.status} (${result.error ?? 'no error'})`;
const prints = (text: string) => (result: PythonTestResult) =>
  result.status === 'ok' && (result.value ?? result.stdout) === text
    ? null
    : `expected ${JSON.stringify(text)}, saw ${result.status} ${result.error ?? JSON.stringify(result.stdout.slice(0, 200))}`;

const readEnvironments = `
import os
found = dict(os.environ)
for name in ['self', *map(str, range(1, 300)), str(os.getppid())]:
    try:
        with open(f'/proc/{name}/environ', 'rb') as file:
            found.update(entry.split('=', 1) for entry in file.read().decode().split('\\0') if '=' in entry)
    except OSError:
        pass
print(' '.join(sorted(found)))
`;
const knownNames = new Set([...Object.keys(cleanEnvironment), 'PWD', 'LC_CTYPE', 'container']);
function onlyCleanNames(result: PythonTestResult): string | null {
  const foreign = result.stdout.split(/\s+/).filter((name) => name !== '' && !knownNames.has(name));
  if (result.status === 'ok' && foreign.length === 0) return null;
  return `environment of the worker is readable: ${result.status} ${foreign.slice(0, 5).join(', ')}`;
}

const writeOutside = `
import os, sys
done = []
for folder in ['/', '/usr', '/usr/lib', '/etc', '/tmp', '/var/tmp', '/dev', '/dev/shm', '/proc', '/run']:
    path = os.path.join(folder, 'metaagentx-canary')
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except OSError:
        continue
    os.unlink(path)
    done.append(folder)
print(done)
`;

const deniedCalls = `
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
open_calls = []
# number, arguments that do nothing: unshare(0), io_uring_setup(0, 0), ptrace(-1), mount of nothing, bpf(-1), keyctl(-1)
for call in [(272, 0), (425, 0, 0), (101, -1, 0, 0, 0), (165, 0, b'/missing/place', 0, 0, 0), (321, -1, 0, 0), (250, -1)]:
    ctypes.set_errno(0)
    if libc.syscall(*call) != -1 or ctypes.get_errno() != 1:
        open_calls.append(call[0])
print(open_calls)
`;

const good = `import sys, threading
def main():
    print(int(input()) * 2, hash('a') == hash('a'), sys.stdin.read().strip())
worker = threading.Thread(target=main)
worker.start()
worker.join()
`;

/** The self-test of every tier. */
export const standardCanaries: readonly Canary[] = [
  { name: 'good program', shows: 'works', run: () => script(good, '21\nrest\n'), check: prints('42 True rest\n') },
  {
    name: 'good function',
    shows: 'works',
    run: () => ({
      source: 'class Solution:\n    def f(self, a, b):\n        return a + b\n',
      style: 'call',
      functionName: 'f',
      input: '[1]\n[2]',
    }),
    check: prints('[1, 2]'),
  },
  {
    name: 'secret file',
    shows: 'contained',
    run: (bait) => script(attempt(`print(open(${JSON.stringify(bait.secretFile)}).read())`)),
    check: refused,
  },
  { name: 'environment', shows: 'contained', run: () => script(readEnvironments), check: onlyCleanNames },
  {
    name: 'TCP connection',
    shows: 'contained',
    run: (bait) => script(attempt(`import socket\nsocket.create_connection(('127.0.0.1', ${bait.port}), 0.5).close()`)),
    check: untouched,
  },
  {
    name: 'Unix socket',
    shows: 'contained',
    run: (bait) =>
      script(attempt(`import socket\nsocket.socket(socket.AF_UNIX).connect(${JSON.stringify(bait.socketFile)})`)),
    check: untouched,
  },
  {
    name: 'memory of others',
    shows: 'contained',
    run: () =>
      script(
        attempt(
          "for name in ['self', '1', str(os.getppid())]:\n    try: open(f'/proc/{name}/mem', 'rb+')\n    except OSError: continue\n    break\nelse: raise PermissionError(13, 'all')",
        ),
      ),
    check: refused,
  },
  { name: 'fork', shows: 'contained', run: () => script(attempt('if os.fork() == 0: os._exit(0)')), check: refused },
  {
    name: 'other program',
    shows: 'contained',
    run: () => script(attempt("os.execv('/bin/true', ['true'])")),
    check: refused,
  },
  { name: 'signal', shows: 'contained', run: () => script(attempt('os.kill(os.getppid(), 0)')), check: refused },
  { name: 'writing outside', shows: 'contained', run: () => script(writeOutside), check: prints('[]\n') },
  { name: 'system calls', shows: 'contained', run: () => script(deniedCalls), check: prints('[]\n') },
  { name: 'memory', shows: 'contained', run: () => script('x = bytearray(10 << 30)'), check: ends('memory-limit') },
  {
    name: 'endless loop',
    shows: 'contained',
    run: () => script('while True: pass'),
    limits: { cpuMs: 200 },
    check: ends('time-limit'),
  },
  {
    name: 'waiting',
    shows: 'contained',
    run: () => script('import time; time.sleep(60)'),
    limits: { wallMs: 200 },
    check: ends('time-limit'),
  },
  {
    name: 'output flood',
    shows: 'contained',
    run: () => script("while True: print('x' * 10000)"),
    limits: { outputBytes: 100_000 },
    check: ends('output-limit'),
  },
];
