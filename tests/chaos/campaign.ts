/**
 * One training run under one schedule of faults, on servers of its own, and the judgement of it: the auditor's report, the
 * fingerprint against that of an undisturbed run, processes that were left behind, work that was done twice.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import type { AuditReport } from '../../audit/report.ts';
import { openStore } from '../../activities/store/connect.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { Faults } from './apply-fault.ts';
import { Fleet } from './fleet.ts';
import type { Log } from './fleet.ts';
import { Offspring } from './offspring.ts';
import { describeFault } from './schedule.ts';
import type { TimedFault } from './schedule.ts';

/** The changes to the smoke recipe that make a run long enough to be hurt often. */
export const longer = ['stages.iterationsPerStage=4'];

export interface CampaignOptions {
  runId: string;
  faults: readonly TimedFault[];
  /** Changes to the smoke recipe. */
  set?: readonly string[];
  /** The run must have ended by then. */
  withinMs: number;
  log: Log;
  /** Aborting ends the campaign and everything it started. */
  signal?: AbortSignal;
}

export interface Campaign {
  report: AuditReport;
  /** Faults that hit something, crash points that were passed included. */
  hits: string[];
  seconds: number;
  /** Command lines of processes that outlived the stop. */
  orphans: string[];
}

/** Throws when the run does not finish in time, or a server is lost for good. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const { runId, faults, withinMs, log } = options;
  const offspring = new Offspring();
  const fleet = await Fleet.start(log);
  const hits: string[] = [];
  try {
    const startedMs = performance.now();
    await start(fleet, options);
    fleet.keep('up', ['up']);
    fleet.keep('watcher', ['status', runId, '--watch']);
    const ended = outcomeOf(fleet, runId, withinMs);
    const hurting = hurt(fleet, faults, ended, hits, log);
    const aborted = new Promise<never>((_, reject) =>
      options.signal?.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }),
    );
    await Promise.race([ended, aborted, fleet.lost.then((error) => Promise.reject(error))]);
    await hurting;
    const seconds = (performance.now() - startedMs) / 1000;
    const taken = readdirSync(join(fleet.folder, 'crash-points')).filter((name) => name.includes('.taken-by-'));
    hits.push(...taken.map((name) => `crash ${name.split('.')[0]}`));
    const report = await judge(fleet, runId);
    await fleet.stop();
    offspring.look();
    const orphans = await offspring.left();
    fleet.remove();
    return { report, hits, seconds, orphans };
  } catch (error) {
    log(`left for a look: ${fleet.folder}`);
    await fleet.stop();
    throw error;
  } finally {
    offspring.end();
  }
}

/** Short heartbeats: recovery is what is measured, not patience. */
const patience = { heartbeatMs: 4_000, initialRetryMs: 200, maximumRetryMs: 3_000 };
const config = resolveTemporalConfig({
  activities: {
    control: { ...patience, startToCloseMs: 30_000 },
    rollout: { ...patience, startToCloseMs: 120_000 },
    train: { ...patience, startToCloseMs: 120_000 },
    sandbox: { ...patience, startToCloseMs: 60_000 },
  },
});

async function start(fleet: Fleet, { runId, set = [] }: CampaignOptions): Promise<void> {
  const recipe = await loadRecipe({ recipe: 'smoke', set });
  const datasets = await loadDatasets(recipe);
  const { mongoUri, database } = fleet.addresses;
  const store = await openStore({ uri: mongoUri, database });
  const { client, close } = await clientOf(fleet);
  await startRun(store, client, { runId, recipe, datasets, config });
  await close();
  await store.close();
}

async function clientOf(fleet: Fleet) {
  const { temporalAddress, namespace } = fleet.addresses;
  const connection = await Connection.connect({ address: temporalAddress });
  return { client: new Client({ connection, namespace }), close: () => connection.close() };
}

const pollMs = 500;
const patienceMs = 15_000;

/** Resolves when the run's document says that it is finished. */
async function outcomeOf(fleet: Fleet, runId: string, withinMs: number): Promise<void> {
  const { mongoUri, database } = fleet.addresses;
  const deadline = Date.now() + withinMs;
  for (let status = 'created'; ;) {
    if (Date.now() > deadline) throw new Error(`run ${runId} is ${status} after ${withinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    // A server that is down tells nothing; what counts is the end.
    const run = await readStatus(mongoUri, database, runId).catch(() => null);
    if (run === null) continue;
    status = run.status;
    if (status === 'finished') return;
    if (status === 'failed' || status === 'stopped') {
      throw new Error(`run ${runId} ${status}: ${run.failure?.name}: ${run.failure?.message}`);
    }
  }
}

async function readStatus(uri: string, database: string, runId: string) {
  const db = await openDatabase(`${uri}&serverSelectionTimeoutMS=2000&socketTimeoutMS=3000`, database);
  try {
    return await db.runs.findOne({ _id: runId }, { projection: { status: 1, failure: 1 } });
  } finally {
    await db.close();
  }
}

async function hurt(
  fleet: Fleet,
  schedule: readonly TimedFault[],
  ended: Promise<void>,
  hits: string[],
  log: Log,
): Promise<void> {
  const faults = new Faults(fleet);
  let over = false;
  const end = ended.then(
    () => (over = true),
    () => (over = true),
  );
  for (const { afterMs, fault } of schedule) {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, afterMs)), end]);
    if (over) break;
    let hit = faults.apply(fault);
    // Its victim may be dead already: the fault waits until there is one again.
    for (let waited = 0; !hit && waited < patienceMs && !over; waited += pollMs) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      hit = faults.apply(fault);
    }
    log(`${hit ? 'fault' : 'nothing to hurt'}: ${describeFault(fault)}`);
    if (hit && fault.kind !== 'crash') hits.push(describeFault(fault));
  }
  await faults.ends();
}

async function judge(fleet: Fleet, runId: string): Promise<AuditReport> {
  const { mongoUri, database } = fleet.addresses;
  const db = await openDatabase(mongoUri, database);
  const { client, close } = await clientOf(fleet);
  try {
    await workflowEnded(client, runId);
    return await auditRun(db, runId, { client });
  } finally {
    await close();
    await db.close();
  }
}

/** The run's document says `finished` a moment before its workflow ends. */
const workflowEnded = (client: Client, runId: string) => client.workflow.getHandle(runId).result();
