/**
 * How the local Temporal server is run and judged, and which search attributes our runs need on any server. Knows
 * nothing about where the program came from. SQLite pragmas: write-ahead log with one sync a checkpoint, which keeps the
 * file whole under `kill -9` at twice to four times the default's activities per second.
 */
import { join } from 'node:path';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { DomainError } from '../../shared/errors.ts';
import { loopback } from './ports.ts';
import type { Log, ProcessPlan } from './supervisor.ts';
import { tlsFault } from './tls-fault.ts';

/** Search attributes of every run, shown as columns in the Temporal UI. SQLite servers hold at most three `Int`. */
export const searchAttributes = {
  // 'RunId' is a name of Temporal's own.
  TrainingRun: 'Keyword',
  Stage: 'Int',
  Role: 'Keyword',
  Iteration: 'Int',
  PolicyVersion: 'Int',
  MeanReward: 'Double',
  Dataset: 'Keyword',
} as const;

/**
 * How often a second the server's one history shard may look for what is to be dispatched next. Its default of 20 makes every
 * workflow task, activity and child wait for the next 50 ms: 99 ms an empty activity, 21 ms with this (docs/log.md).
 */
const dispatchesPerSecond = 1000;

const readyWithinMs = 90_000;
const graceMs = 10_000;
const connectTimeoutMs = 2_000;
const attributesWithinMs = 20_000;

/** Where and with what the local server runs. */
export interface TemporalServerOptions {
  program: string;
  stateDir: string;
  port: number;
  uiPort: number;
  namespace: string;
  /** More arguments. */
  more?: readonly string[];
}

export function temporalPlan(options: TemporalServerOptions): ProcessPlan {
  const { program, stateDir, port, uiPort, namespace, more = [] } = options;
  const pragmas = ['journal_mode=wal', 'synchronous=1'].flatMap((pragma) => ['--sqlite-pragma', pragma]);
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  const dispatch = ['--dynamic-config-value', `history.transferProcessorMaxPollRPS=${dispatchesPerSecond}`];
  const network = ['--ip', loopback, '--port', String(port), '--ui-port', String(uiPort), '--namespace', namespace];
  const database = ['--db-filename', join(stateDir, 'temporal.db')];
  return {
    name: 'temporal',
    program,
    args: [
      'server',
      'start-dev',
      ...database,
      ...pragmas,
      ...network,
      ...attributes,
      ...dispatch,
      ...more,
      '--log-level',
      'error',
    ],
    env: process.env,
    logFile: join(stateDir, 'logs', 'temporal.log'),
    ready: () => pingTemporal({ address: `${loopback}:${port}` }, namespace),
    readyWithinMs,
    graceMs,
  };
}

/** Null when the server answers and knows the namespace, else what is missing. */
export async function pingTemporal(options: ConnectionOptions, namespace: string): Promise<string | null> {
  try {
    const connection = await Connection.connect({ ...options, connectTimeout: connectTimeoutMs });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return null;
    } finally {
      await connection.close();
    }
  } catch (error) {
    const { message } = error as Error;
    const fault = await tlsFault(options, connectTimeoutMs);
    return fault === null ? message : `${message} (${fault})`;
  }
}

/**
 * Registers the search attributes that the namespace lacks. A server that does not let us (Temporal Cloud) gets a line
 * with the command for its operator; workflows could not be started without them, so that is an error.
 */
export async function ensureSearchAttributes(options: ConnectionOptions, namespace: string, log: Log): Promise<void> {
  const connection = await Connection.connect(options);
  try {
    const deadline = Date.now() + attributesWithinMs;
    for (let asked = false; ;) {
      const missing = await missingAttributes(connection, namespace);
      if (missing.length === 0) return;
      if (!asked) {
        await addAttributes(connection, namespace, missing);
        log(`temporal: registered search attributes ${missing.join(', ')} in namespace ${namespace}`);
        asked = true;
      }
      if (Date.now() > deadline) throw cannotRegister(namespace, missing, 'they did not appear');
      await new Promise((done) => setTimeout(done, 200));
    }
  } finally {
    await connection.close();
  }
}

type AttributeName = keyof typeof searchAttributes;

async function missingAttributes(connection: Connection, namespace: string): Promise<AttributeName[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return (Object.keys(searchAttributes) as AttributeName[]).filter((name) => customAttributes?.[name] === undefined);
}

/** Numbers of `temporal.api.enums.v1.IndexedValueType`. */
const indexedTypes = { Keyword: 2, Int: 3, Double: 4 } as const;

async function addAttributes(connection: Connection, namespace: string, names: AttributeName[]): Promise<void> {
  const types = Object.fromEntries(names.map((name) => [name, indexedTypes[searchAttributes[name]]]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: types });
  } catch (error) {
    throw cannotRegister(namespace, names, (error as Error).message);
  }
}

function cannotRegister(namespace: string, names: AttributeName[], why: string): DomainError {
  const flags = names.map((name) => `--name ${name} --type ${searchAttributes[name]}`).join(' ');
  return new DomainError(
    'InvalidConfig',
    `namespace '${namespace}' lacks the search attributes ${names.join(', ')} and they could not be registered (${why}). ` +
      `Run: temporal operator search-attribute create --namespace ${namespace} ${flags}`,
    { namespace, missing: names },
  );
}
