/** A worker's settings: `temporal.config.ts` plus the environment, read once, here. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { encryptingConverter } from '../activities/payloads/data-converter.ts';
import userConfig from '../temporal.config.ts';
import { resolveTemporalConfig } from '../shared/config/temporal-config.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { DomainError } from '../shared/errors.ts';

export interface WorkerSettings {
  config: TemporalConfig;
  /** Options of `NativeConnection.connect`: address, TLS, API key. */
  connection: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  namespace: string;
  /** Version of the workflows' code, for rolling upgrades; null: none. */
  deployment: { deploymentName: string; buildId: string } | null;
  /** Null: payloads are stored in clear. */
  dataConverter: DataConverter | null;
  mongoUri: string;
  database: string;
  /** Folder for the workflow bundle and the like. */
  stateDir: string;
}

/** Throws `InvalidConfig`. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): WorkerSettings {
  const config = resolveTemporalConfig(userConfig);
  const { connectionOptions, namespace } = loadClientConnectConfig({ profile: config.profile });
  const buildId = environment.METAAGENTX_BUILD_ID || config.workers.buildId;
  const mongoUri = environment.MONGODB_URI;
  if (mongoUri === undefined || mongoUri === '') {
    throw new DomainError(
      'InvalidConfig',
      'MONGODB_URI is not set: a worker needs the store. `npx metaagentx up` starts everything; or set MONGODB_URI and TEMPORAL_ADDRESS',
    );
  }
  return {
    config,
    connection: connectionOptions,
    namespace: namespace ?? config.namespace,
    deployment: buildId === null ? null : { deploymentName: config.workers.deploymentName, buildId },
    dataConverter: encryptingConverter(environment, config.payloads.keysFile),
    mongoUri,
    database: environment.METAAGENTX_DATABASE ?? config.database,
    stateDir: environment.METAAGENTX_STATE ?? join(homedir(), '.metaagentx'),
  };
}
