/**
 * The thread's side of the pool: hosts many isolates and runs one stretch at a time. Says in shared memory which script
 * is running, so that the pool can tell a stuck script from its innocent neighbours. Imports little: it starts often.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Instances, loadEngine } from './instance.ts';
import { Isolate } from './isolate.ts';
import { watchWords, type FromThread, type StartMessage, type ToThread } from './messages.ts';
import { ownThread } from './thread-time.ts';

const port = parentPort!;
const watch = new Int32Array(workerData as SharedArrayBuffer);
const isolates = new Map<number, Isolate>();
/** Ids whose instance is being made; false: dropped meanwhile. */
const opening = new Map<number, boolean>();
Atomics.store(watch, watchWords.thread, ownThread());
const instances = new Instances(await loadEngine());

function enter(id: number, run: () => FromThread): void {
  Atomics.store(watch, watchWords.script, id);
  Atomics.add(watch, watchWords.beats, 1);
  const said = run();
  Atomics.store(watch, watchWords.script, 0);
  Atomics.add(watch, watchWords.beats, 1);
  if (said.end.type !== 'idle') drop(id);
  port.postMessage(said);
}

function drop(id: number): void {
  isolates.get(id)?.dispose();
  isolates.delete(id);
}

async function start(message: StartMessage): Promise<void> {
  opening.set(message.id, true);
  const isolate = await Isolate.open(instances, message);
  const wanted = opening.get(message.id) === true;
  opening.delete(message.id);
  if (!wanted) {
    isolate.dispose();
    return;
  }
  isolates.set(message.id, isolate);
  enter(message.id, () => isolate.begin(message));
}

port.on('message', (message: ToThread) => {
  if (message.type === 'start') {
    start(message).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      port.postMessage({
        id: message.id,
        requests: [],
        end: { type: 'unavailable', message: text },
        bytes: 0,
      } satisfies FromThread);
    });
    return;
  }
  const isolate = isolates.get(message.id);
  if (message.type === 'drop') {
    if (opening.has(message.id)) opening.set(message.id, false);
    drop(message.id);
  } else if (isolate !== undefined) enter(message.id, () => isolate.settle(message.json));
});
port.postMessage('ready');
