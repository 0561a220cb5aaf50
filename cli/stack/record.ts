/**
 * The record of one clone's stack, `stack.json` in its state folder: addresses, and which process (pid and start time)
 * runs what for whom. Lets a later start join a living stack or clean up after a killed one. Starts and stops nothing.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, type Identity } from '../../bootstrap/identity.mjs';
import { withLock } from '../../bootstrap/lock.mjs';
import type { StackAddresses } from './addresses.ts';

/** One process of the stack. */
export interface ProcessRecord {
  /** `temporal`, `mongo`, `dashboard`, or `worker-QUEUE`. */
  name: string;
  identity: Identity;
  /** Who restarts and stops it. */
  supervisor: Identity;
  log: string;
}

/** Ports once chosen are kept across restarts while they are free. */
export interface StackPorts {
  temporal: number;
  ui: number;
  mongo: number;
}

export interface StackRecord {
  version: 1;
  addresses: StackAddresses | null;
  ports: StackPorts | null;
  /** Kept like the other ports; null where no dashboard has run. */
  dashboardPort: number | null;
  processes: ProcessRecord[];
}

const empty: StackRecord = { version: 1, addresses: null, ports: null, dashboardPort: null, processes: [] };
const recordFile = (stateDir: string) => join(stateDir, 'stack.json');

/** The record as written last; an unreadable or foreign one counts as none. */
export function readRecord(stateDir: string): StackRecord {
  try {
    const seen = JSON.parse(readFileSync(recordFile(stateDir), 'utf8')) as Partial<StackRecord>;
    return seen.version === 1 && Array.isArray(seen.processes) ? { ...empty, ...seen } : empty;
  } catch {
    return empty;
  }
}

/** Changes the record as one step against every other process of this clone. */
export function changeRecord(stateDir: string, change: (record: StackRecord) => StackRecord): Promise<StackRecord> {
  return withLock(join(stateDir, 'locks', 'record.lock'), 'stack.json', async () => {
    const next = change(readRecord(stateDir));
    mkdirSync(stateDir, { recursive: true });
    const aside = `${recordFile(stateDir)}.${process.pid}`;
    writeFileSync(aside, `${JSON.stringify(next, null, 2)}\n`);
    renameSync(aside, recordFile(stateDir));
    return next;
  });
}

/** The entry of a process that this one starts and stops. */
export const ownProcess = (plan: { name: string; logFile: string }, identity: Identity): ProcessRecord => ({
  name: plan.name,
  identity,
  supervisor: identify(process.pid),
  log: plan.logFile,
});

/** Puts a process into the record, in place of an earlier one of the same name. */
export const withProcess = (record: StackRecord, entry: ProcessRecord): StackRecord => ({
  ...record,
  processes: [...record.processes.filter(({ name }) => name !== entry.name), entry],
});

/** Takes a process out, if the entry is still the one that `identity` describes. */
export const withoutProcess = (record: StackRecord, name: string, identity: Identity): StackRecord => ({
  ...record,
  processes: record.processes.filter((each) => each.name !== name || each.identity.pid !== identity.pid),
});

/** The recorded process of this name while exactly it lives. */
export function living(record: StackRecord, name: string): ProcessRecord | null {
  const entry = record.processes.find((each) => each.name === name);
  return entry !== undefined && isAlive(entry.identity) ? entry : null;
}

/** Forgets everything (the databases stay). */
export function removeRecord(stateDir: string): void {
  rmSync(recordFile(stateDir), { force: true });
}
