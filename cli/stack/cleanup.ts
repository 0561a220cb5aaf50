/**
 * Ends what earlier commands left behind: orphans before a start, and a whole clone's stack on request. Judges
 * by the record alone, so it never touches a process that merely got the same pid.
 */
import { isAlive } from '../../bootstrap/identity.mjs';
import { changeRecord, readRecord, removeRecord, withoutProcess } from './record.ts';
import { endProcess, type Log } from './supervisor.ts';

const orphanGraceMs = 5_000;
const serverGraceMs = 15_000;

/** Ends workers and dashboards whose supervisor was killed: nobody would restart them, new ones are about to start. */
export async function reapOrphans(stateDir: string, log: Log): Promise<void> {
  for (const entry of readRecord(stateDir).processes) {
    if (!/^(worker-|dashboard$)/.test(entry.name) || isAlive(entry.supervisor)) continue;
    if (isAlive(entry.identity)) {
      log(`${entry.name}: ending process ${entry.identity.pid}, whose owner is gone`);
      await endProcess(entry.identity, orphanGraceMs);
    }
    await changeRecord(stateDir, (record) => withoutProcess(record, entry.name, entry.identity));
  }
}

/**
 * Stops a clone's stack from outside: asks its living owners to end and waits, then ends whatever a killed owner left.
 * Returns the names of what was stopped.
 */
export async function stopStack(stateDir: string, graceMs = 60_000): Promise<string[]> {
  const before = readRecord(stateDir).processes.filter(({ identity }) => isAlive(identity));
  const owners = new Map(before.map(({ supervisor }) => [supervisor.pid, supervisor]));
  owners.delete(process.pid);
  await Promise.all([...owners.values()].map((owner) => endProcess(owner, graceMs)));
  const stopOrder = [...before].sort((a, b) => b.name.localeCompare(a.name));
  for (const entry of stopOrder) await endProcess(entry.identity, serverGraceMs);
  if (before.length > 0) removeRecord(stateDir);
  return before.map(({ name }) => name);
}
