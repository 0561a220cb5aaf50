/** The supervisor with small Node programs: start, crash, give up, drain, kill, and taking over a stranger's child. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { identify, isAlive, type Identity } from '../../bootstrap/identity.mjs';
import { readLog, Supervisor, tail, type ProcessPlan } from './supervisor.ts';

let folder: string;
let supervisor: Supervisor;
let lines: string[];
let started: Identity[];
let lost: Error[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supervisor-'));
  [lines, started, lost] = [[], [], []];
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(folder, { recursive: true, force: true });
});

function supervise(script: string, plan: Partial<ProcessPlan> = {}): Supervisor {
  const logFile = join(folder, 'it.log');
  supervisor = new Supervisor(
    {
      name: 'it',
      program: process.execPath,
      args: ['-e', script],
      env: process.env,
      logFile,
      ready: async ({ logFrom }) => (readLog(logFile, logFrom).includes('ready') ? null : 'silent'),
      readyWithinMs: 60_000,
      graceMs: 30_000,
      ...plan,
    },
    { log: (line) => lines.push(line), onProcess: async (id) => started.push(id), onLost: (error) => lost.push(error) },
  );
  return supervisor;
}

const serve = 'console.log("ready"); setInterval(() => {}, 1000)';
/** For what comes as soon as the machine has time. */
const patience = { timeout: 30_000 };
const pidOf = (each: Identity | undefined) => each?.pid ?? 0;

test('a killed process is started again, with two lines, and its end is waited for', async () => {
  await supervise(serve).start();
  process.kill(pidOf(started[0]), 'SIGKILL');
  await vi.waitFor(() => expect(started).toHaveLength(2), patience);
  await vi.waitFor(() => expect(lines).toHaveLength(2), patience);
  expect(lines[0]).toBe('it ended with SIGKILL; starting it again in 100 ms');
  expect(lines[1]).toMatch(/^it is back \(pid \d+\) after \d+ ms$/);
  await supervisor.stop();
  expect(started.map(isAlive)).toEqual([false, false]);
  expect(lines).toHaveLength(2);
});

test('a supervisor killed before it recorded the new process leaves none behind', async () => {
  const [log, mark, pid] = ['orphan.log', 'began', 'pid'].map((name) => join(folder, name));
  const script = `
    const { Supervisor } = await import(${JSON.stringify(new URL('supervisor.ts', import.meta.url).href)});
    const { writeFileSync } = await import('node:fs');
    await new Supervisor(
      { name: 'it', program: 'touch', args: [${JSON.stringify(mark)}], env: process.env, logFile: ${JSON.stringify(log)},
        ready: async () => 'never', readyWithinMs: 60000, graceMs: 0 },
      { log() {}, onLost() {}, onProcess: async ({ pid }) => {
        writeFileSync(${JSON.stringify(pid)}, String(pid));
        process.kill(process.pid, 'SIGKILL');
      } },
    ).start();`;
  supervise(serve);
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { stdio: 'inherit' });
  const signal = await new Promise((done) => owner.once('exit', (_code, how) => done(how)));
  expect(signal).toBe('SIGKILL');
  const left = identify(Number(readFileSync(pid!, 'utf8')));
  await vi.waitFor(() => expect(isAlive(left)).toBe(false), patience);
  expect(existsSync(mark!)).toBe(false);
});

test('a process of its own session: a signal to our group does not reach it', async () => {
  await supervise(serve).start();
  const pid = pidOf(started[0]);
  // Its process group is its own, so the group can be signalled by its pid.
  expect(() => process.kill(-pid, 0)).not.toThrow();
});

test('a start that fails tells the end of its log, and leaves no process', async () => {
  const failing = supervise('console.error("Error: port in use"); process.exit(3)').start();
  await expect(failing).rejects.toThrow(/it ended with exit code 3; its log .* ends: Error: port in use/);
  const slow = supervise('setInterval(() => {}, 1000)', { readyWithinMs: 200 });
  await expect(slow.start()).rejects.toThrow('was not ready within 0.2 s (silent)');
  expect(slow.identity).toBeNull();
  const missing = supervise('', { program: '/no/such/program' });
  await expect(missing.start()).rejects.toThrow(/exit code 127; .*\/no\/such\/program: /);
});

test('a process that dies again and again is given up', async () => {
  const log = join(folder, 'it.log');
  // Each dies as soon as it was seen to serve.
  const ready = async ({ logFrom }: { logFrom: number }) => {
    if (!readLog(log, logFrom).includes('ready')) return 'silent';
    process.kill(pidOf(started.at(-1)), 'SIGUSR2');
    return null;
  };
  await supervise(`process.on("SIGUSR2", () => process.exit(1)); ${serve}`, { ready, pausesMs: [10] }).start();
  await vi.waitFor(() => expect(lost).toHaveLength(1), patience);
  expect(lost[0]?.message).toContain('it died 6 times in 120 s (ended with exit code 1)');
});

test('SIGTERM lets it drain; one that ignores it is killed after the grace', async () => {
  const mark = join(folder, 'drained');
  await supervise(
    `process.on("SIGTERM", () => { require("fs").writeFileSync(${JSON.stringify(mark)}, ""); process.exit(0) }); ${serve}`,
  ).start();
  await supervisor.stop();
  expect(existsSync(mark)).toBe(true);
  await supervise(`process.on("SIGTERM", () => {}); ${serve}`, { graceMs: 200 }).start();
  const before = Date.now();
  await supervisor.stop();
  expect(Date.now() - before).toBeGreaterThanOrEqual(200);
  expect(started.some(isAlive)).toBe(false);
});

test('an adopted process is watched, restarted and stopped like an own one', async () => {
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  const identity = identify(orphan.pid ?? 0);
  await supervise(serve).adopt(identity);
  expect(supervisor.identity).toEqual(identity);
  process.kill(identity.pid, 'SIGKILL');
  await vi.waitFor(() => expect(started).toHaveLength(2), patience);
  expect(pidOf(started[1])).not.toBe(identity.pid);
});

test('the end of a log leaves out stack frames', async () => {
  await supervise(`console.log("TypeError: no\\n    at x (y:1)\\n}\\n\\nNode.js v20"); ${serve}`).start();
  expect(tail(supervisor.plan.logFile, 0, 2)).toBe('TypeError: no | ready');
});
