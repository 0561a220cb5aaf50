/** What goes over the driver's connections, for those who count it. */
import { Binary } from 'mongodb';
import type { CommandStartedEvent, CommandSucceededEvent, Document, MongoClient } from 'mongodb';

/** One command as the driver saw it. */
export interface StoreCommand {
  /** `find`, `insert`, `update` ... */
  name: string;
  collection: string;
  /** Documents that an answer brought (`find`, `getMore`), or that a write sent. */
  documents: number;
  /** Binary fields of an answer's documents (a chunk of weights), in bytes. */
  binaryBytes: number;
  durationMs: number;
  /** `_id`s that updates named. */
  updated: readonly string[];
}

const listOf = (value: unknown): Document[] => (Array.isArray(value) ? (value as Document[]) : []);

function updatedIds(command: Document): string[] {
  const filters = listOf(command.updates).map(({ q }) => (q as Document)._id as unknown);
  return filters.filter((id): id is string => typeof id === 'string');
}

const binaryBytesOf = (documents: readonly Document[]) =>
  documents
    .flatMap((document) => Object.values(document) as unknown[])
    .reduce<number>((sum, value) => sum + (value instanceof Binary ? value.length() : 0), 0);

/** The client must have been made with `monitorCommands`. */
export function observeCommands(client: MongoClient, onCommand: (command: StoreCommand) => void): void {
  const open = new Map<string, CommandStartedEvent>();
  const keyOf = ({ address, requestId }: CommandStartedEvent | CommandSucceededEvent) => `${address}/${requestId}`;
  client.on('commandStarted', (event) => void open.set(keyOf(event), event));
  client.on('commandFailed', ({ address, requestId }) => void open.delete(`${address}/${requestId}`));
  client.on('commandSucceeded', (event) => {
    const started = open.get(keyOf(event));
    open.delete(keyOf(event));
    if (started === undefined) return;
    const { commandName: name, command } = started;
    const target: unknown = name === 'getMore' ? command.collection : command[name];
    const { cursor } = event.reply as { cursor?: Document };
    const brought = listOf(cursor?.firstBatch ?? cursor?.nextBatch);
    onCommand({
      name,
      collection: typeof target === 'string' ? target : '',
      documents: brought.length + listOf(command.documents).length,
      binaryBytes: binaryBytesOf(brought),
      durationMs: event.duration,
      updated: updatedIds(command),
    });
  });
}
