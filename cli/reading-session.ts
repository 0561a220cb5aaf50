/** The store alone, for commands that only read what runs have left: no Temporal server is asked. */
import { openStore } from '../activities/store/connect.ts';
import type { Store } from '../activities/store/connect.ts';
import type { Cli } from './command.ts';
import { Unavailable } from './exit-codes.ts';
import { readConfig, stateDirOf } from './settings.ts';
import { databaseOf, defaultDatabase, temporalUiLink } from './stack/addresses.ts';
import { living, readRecord } from './stack/record.ts';

export interface Reading {
  store: Store;
  /** Page of a workflow in the Temporal UI, where its address is known. */
  uiUrl: (workflowId: string) => string | null;
}

/** `MONGODB_URI`, else the running store of this clone. Throws `Unavailable` where there is neither. */
export async function openReading({ environment }: Pick<Cli, 'environment'>): Promise<Reading> {
  const record = readRecord(stateDirOf(environment));
  const { database: named } = readConfig();
  const configured = environment.MONGODB_URI;
  const local = living(record, 'mongo') === null ? null : record.addresses;
  const uri = configured ?? local?.mongoUri;
  if (uri === undefined || uri === '') {
    throw new Unavailable(
      'no store is running for this clone. Start it in another terminal with: npx metaagentx up --no-workers, or set MONGODB_URI',
    );
  }
  const own = databaseOf(uri) === defaultDatabase ? named : databaseOf(uri);
  const store = await openStore({ uri, database: environment.METAAGENTX_DATABASE ?? own });
  const ui = environment.TEMPORAL_UI_URL ?? record.addresses?.uiUrl ?? null;
  const namespace = environment.TEMPORAL_NAMESPACE ?? record.addresses?.namespace ?? 'default';
  return { store, uiUrl: temporalUiLink(ui, namespace) };
}

/** The store for the command's duration: the running one, or this clone's own, started for it. */
export async function withStore<T>(cli: Cli, work: (reading: Reading) => Promise<T>): Promise<T> {
  const { environment } = cli;
  const isThere = Boolean(environment.MONGODB_URI) || living(readRecord(stateDirOf(environment)), 'mongo') !== null;
  if (!isThere) {
    const { withSession } = await import('./session.ts');
    return withSession(cli, { stack: 'started', workers: 'none' }, work);
  }
  const reading = await openReading(cli);
  try {
    return await work(reading);
  } finally {
    await reading.store.close();
  }
}
