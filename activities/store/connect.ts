/**
 * Opens the database: the only place that builds a MongoClient. Writes are acknowledged by a majority and journaled, so
 * whatever was acknowledged survives `kill -9`. Nothing here needs transactions or a replica set.
 */
import { MongoClient } from 'mongodb';
import type { Db } from 'mongodb';
import { DomainError } from '../../shared/errors.ts';
import { ensureCollections } from './collections.ts';
import type { Collections } from './collections.ts';
import { observeCommands } from './commands.ts';
import type { StoreCommand } from './commands.ts';
import { openBlobs } from './blobs.ts';
import type { Blobs } from './blobs.ts';

export interface Store extends Collections {
  blobs: Blobs;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreAddress {
  uri: string;
  database: string;
  /** How long to look for a server before `StoreUnavailable`. */
  serverSelectionTimeoutMs?: number;
  /** Told of every command that succeeded; absent: nobody counts. */
  onCommand?: (command: StoreCommand) => void;
}

/** Connects, creates collections, indexes and validators where missing. Throws `StoreUnavailable`. */
export async function openStore(address: StoreAddress): Promise<Store> {
  const { uri, database, serverSelectionTimeoutMs = 15_000, onCommand } = address;
  const client = new MongoClient(uri, {
    appName: 'metaagentx',
    writeConcern: { w: 'majority', journal: true },
    retryWrites: true,
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    connectTimeoutMS: 10_000,
    // No operation takes this long; a connection that swallows what it is given must not be waited for.
    socketTimeoutMS: 60_000,
    ignoreUndefined: true,
    monitorCommands: onCommand !== undefined,
  });
  if (onCommand !== undefined) observeCommands(client, onCommand);
  try {
    await client.connect();
    const db: Db = client.db(database);
    const collections = await ensureCollections(db);
    return {
      ...collections,
      blobs: openBlobs(db),
      ping: async () => void (await db.command({ ping: 1 })),
      close: () => client.close(),
    };
  } catch (cause) {
    await client.close().catch(() => undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DomainError(
      'StoreUnavailable',
      `no MongoDB answers at ${redact(uri)}: ${reason}. Start one with: npx metaagentx up, or set MONGODB_URI`,
      {},
      { cause },
    );
  }
}

/** The address without its password. */
const redact = (uri: string) => uri.replace(/\/\/[^@/]*@/, '//***@');
