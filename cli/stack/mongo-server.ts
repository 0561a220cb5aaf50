/**
 * How the local MongoDB-compatible store is run and judged: a real mongod, or SecantusDB with a sync on every commit
 * (without it a kill loses acknowledged writes). Knows nothing about where the program came from nor what is stored.
 */
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { dataFolder, type MongoChoice } from '../../bootstrap/mongo.mjs';
import { pingMongo } from './mongo-ping.ts';
import { loopback } from './ports.ts';
import type { ProcessPlan } from './supervisor.ts';

const readyWithinMs = 60_000;
const graceMs = 15_000;
const pingTimeoutMs = 2_000;

/** A store that we run ourselves. */
export type LocalMongo = Exclude<MongoChoice, { kind: 'external' }>;

export function mongoPlan(choice: LocalMongo, stateDir: string, port: number): ProcessPlan {
  const data = dataFolder(stateDir, choice.kind);
  mkdirSync(data, { recursive: true });
  const command =
    choice.kind === 'mongod' ? mongodCommand(choice.path, data, port) : secantusCommand(choice, data, port);
  return {
    name: 'mongo',
    ...command,
    cwd: data,
    logFile: join(stateDir, 'logs', 'mongo.log'),
    ready: () => pingMongo(loopback, port, pingTimeoutMs),
    readyWithinMs,
    graceMs,
  };
}

function mongodCommand(program: string, data: string, port: number) {
  const network = ['--bind_ip', loopback, '--port', String(port), '--nounixsocket'];
  return {
    program,
    args: ['--dbpath', data, ...network, '--wiredTigerCacheSizeGB', '0.25', '--quiet'],
    env: process.env,
  };
}

function secantusCommand(choice: Extract<LocalMongo, { kind: 'secantus' }>, data: string, port: number) {
  const durable = ['--storage-path', data, '--sync-on-commit', '--cache-size', '256M'];
  const network = ['--host', loopback, '--port', String(port)];
  const path = [choice.packages, process.env.PYTHONPATH].filter(Boolean).join(delimiter);
  return {
    program: choice.python,
    args: ['-s', '-m', 'secantus', ...network, ...durable, '--log-level', 'WARNING'],
    env: { ...process.env, PYTHONPATH: path },
  };
}

/** A local store's connection string. One server, no discovery of others. */
export const localMongoUri = (port: number, database: string): string =>
  `mongodb://${loopback}:${port}/${database}?directConnection=true`;
