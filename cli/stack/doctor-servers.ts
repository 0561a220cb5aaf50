/**
 * The doctor's two server checks: which Temporal server and which store would be used, and whether they answer now.
 * Looks only: what a start would still have to download is said, not done.
 */
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { provisionMongo } from '../../bootstrap/mongo.mjs';
import { SetupError } from '../../bootstrap/report.mjs';
import { provisionTemporal } from '../../bootstrap/temporal.mjs';
import { openStore } from '../../activities/store/connect.ts';
import { databaseOf } from './addresses.ts';
import type { DoctorRow, DoctorSetting } from './doctor.ts';
import { pingMongo } from './mongo-ping.ts';
import { loopback } from './ports.ts';
import { living, readRecord } from './record.ts';
import { pingTemporal } from './temporal-server.ts';

const pingTimeoutMs = 3_000;

/** Thrown by the `say` callback: the next step would download, which a check must not. */
class WouldInstall extends Error {}

const refuse = (text: string): never => {
  throw new WouldInstall(text);
};

export async function inspectTemporal({ env, cacheDir, stateDir }: DoctorSetting): Promise<DoctorRow> {
  const name = 'temporal';
  return looked(name, async () => {
    const { found } = await provisionTemporal({ env, cacheDir, say: refuse });
    if (found.kind === 'external') {
      const given = Object.entries(env).filter((pair): pair is [string, string] => Boolean(pair[1]));
      const { connectionOptions } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
      const why = await pingTemporal(connectionOptions, found.namespace);
      const where = `${found.address}, namespace ${found.namespace} (${found.source})`;
      return why === null
        ? { name, ok: true, detail: `${where} answers`, fix: '' }
        : {
            name,
            ok: false,
            detail: `${where}: ${why}`,
            fix: 'start that server, or unset TEMPORAL_ADDRESS or the profile',
          };
    }
    const record = readRecord(stateDir);
    const process = living(record, name);
    const detail = `${found.version} (${found.source}, ${found.path})`;
    if (process === null) return { name, ok: true, detail: `${detail}, not running`, fix: '' };
    const port = record.ports?.temporal ?? 0;
    const why = await pingTemporal({ address: `${loopback}:${port}` }, record.addresses?.namespace ?? 'default');
    return running(name, `${detail}, pid ${process.identity.pid} on port ${port}`, why, process.log);
  });
}

export async function inspectMongo({ env, cacheDir, stateDir }: DoctorSetting): Promise<DoctorRow> {
  const name = 'mongo';
  return looked(name, async () => {
    const { found } = await provisionMongo({ env, cacheDir, stateDir, say: refuse });
    if (found.kind === 'external') {
      const database = env.METAAGENTX_DATABASE || databaseOf(found.uri);
      const store = await openStore({ uri: found.uri, database, serverSelectionTimeoutMs: pingTimeoutMs });
      await store.close();
      return { name, ok: true, detail: `configured server answers, database ${database}`, fix: '' };
    }
    const record = readRecord(stateDir);
    const process = living(record, name);
    const detail = `${found.kind === 'secantus' ? 'SecantusDB' : 'mongod'} ${found.version} (${found.source})`;
    if (process === null) return { name, ok: true, detail: `${detail}, not running`, fix: '' };
    const port = record.ports?.mongo ?? 0;
    const why = await pingMongo(loopback, port, pingTimeoutMs);
    return running(name, `${detail}, pid ${process.identity.pid} on port ${port}`, why, process.log);
  });
}

function running(name: string, detail: string, why: string | null, log: string): DoctorRow {
  return why === null
    ? { name, ok: true, detail: `${detail}, answers`, fix: '' }
    : { name, ok: false, detail: `${detail}: ${why}`, fix: `see ${log}; \`npx metaagentx up\` restarts it` };
}

/** Failures become rows. */
async function looked(name: string, look: () => Promise<DoctorRow>): Promise<DoctorRow> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof WouldInstall)
      return { name, ok: false, detail: `not installed yet; setup would do: ${error.message}`, fix: 'npm run setup' };
    const { message } = error as Error;
    const [first = '', ...rest] = message.split('\n');
    const fix =
      error instanceof SetupError ? (rest.at(-1) ?? '') : 'correct the address, or unset it to use a local server';
    return { name, ok: false, detail: first, fix };
  }
}
