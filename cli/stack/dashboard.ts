/**
 * The dashboard of a stack: a process of its own beside the workers, started once for a clone and restarted when it
 * dies. Training never depends on it: what keeps it from starting is said in one line, and nothing else happens.
 */
import { join } from 'node:path';
import { isAlive } from '../../bootstrap/identity.mjs';
import { withLock } from '../../bootstrap/lock.mjs';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { stackEnvironment } from './addresses.ts';
import { choosePort, loopback } from './ports.ts';
import { changeRecord, living, ownProcess, readRecord, withoutProcess, withProcess } from './record.ts';
import type { Stack } from './stack.ts';
import { readLog, Supervisor, type Log, type ProcessPlan } from './supervisor.ts';

export const defaultDashboardPort = 8280;

const readyWithinMs = 120_000;
const graceMs = 5_000;

/** Where the clone's dashboard is served now; null where it is not. */
export function dashboardUrlOf(stateDir: string): string | null {
  const record = readRecord(stateDir);
  if (living(record, 'dashboard') === null || record.dashboardPort === null) return null;
  return `http://${loopback}:${record.dashboardPort}`;
}

/** Whether it is served by this process, and so ends with it. */
export const isOwnDashboard = (stateDir: string): boolean =>
  living(readRecord(stateDir), 'dashboard')?.supervisor.pid === process.pid;

/** Starts it, or finds it running. Resolves when it serves, with its address; null where it cannot be had. */
export function startDashboard(stack: Stack, log: Log): Promise<string | null> {
  const { stateDir } = stack;
  return withLock(join(stateDir, 'locks', 'dashboard.lock'), 'starting the dashboard', async () => {
    const other = living(readRecord(stateDir), 'dashboard');
    if (other !== null && isAlive(other.supervisor)) return dashboardUrlOf(stateDir);
    const port = await choosePort(readRecord(stateDir).dashboardPort ?? defaultDashboardPort);
    await changeRecord(stateDir, (record) => ({ ...record, dashboardPort: port }));
    const supervisor = makeSupervisor(stack, port, log);
    const atExit = () => supervisor.stopNow();
    process.once('exit', atExit);
    stack.beforeStop(async () => {
      const { identity } = supervisor;
      await supervisor.stop();
      process.off('exit', atExit);
      if (identity === null) return;
      await changeRecord(stateDir, (record) => withoutProcess(record, 'dashboard', identity));
    });
    try {
      await supervisor.start();
    } catch (error) {
      await supervisor.stop();
      log(`dashboard: does not start, everything else goes on: ${(error as Error).message}`);
      return null;
    }
    return `http://${loopback}:${port}`;
  });
}

function makeSupervisor({ stateDir, addresses }: Stack, port: number, log: Log): Supervisor {
  const name = 'dashboard';
  const logFile = join(stateDir, 'logs', `${name}.log`);
  const { uiUrl } = addresses;
  const plan: ProcessPlan = {
    name,
    program: process.execPath,
    args: [join(cloneRoot, 'bin', 'metaagentx.mjs'), 'ui', '--port', String(port)],
    cwd: cloneRoot,
    env: {
      ...process.env,
      ...stackEnvironment(addresses, stateDir),
      ...(uiUrl === null ? {} : { TEMPORAL_UI_URL: uiUrl }),
    },
    logFile,
    ready: async ({ logFrom }) =>
      /^dashboard: http/m.test(readLog(logFile, logFrom)) ? null : 'it does not serve yet',
    readyWithinMs,
    graceMs,
  };
  return new Supervisor(plan, {
    log,
    onLost: (error) => log(`dashboard: given up, everything else goes on: ${error.message}`),
    onProcess: (identity) => changeRecord(stateDir, (record) => withProcess(record, ownProcess(plan, identity))),
  });
}
