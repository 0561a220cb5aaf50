/** The engine's thread: takes requests, gives them to the engine, sends back results, progress and errors by name. */
import { parentPort, workerData } from 'node:worker_threads';
import { isDomainError } from '../../../shared/errors.ts';
import type { EngineOptions, RequestControl } from './contract.ts';
import { LocalEngine } from './local-engine.ts';
import type { CarriedError, FromEngine, ToEngine } from './protocol.ts';

const port = parentPort!;
const engine = new LocalEngine(workerData as EngineOptions);
const open = new Map<number, AbortController>();
const send = (message: FromEngine) => port.postMessage(message);

function carried(error: unknown): CarriedError {
  if (isDomainError(error))
    return { name: error.name, failure: error.name, message: error.message, data: { ...error.data } };
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, failure: null, message, data: {} };
}

async function serve({ id, method, request }: Extract<ToEngine, { type: 'call' }>): Promise<void> {
  const abort = new AbortController();
  open.set(id, abort);
  const control: RequestControl = {
    signal: abort.signal,
    onProgress: (progress) => send({ type: 'progress', id, progress }),
  };
  try {
    const run = engine[method].bind(engine) as (request: unknown, control: RequestControl) => Promise<unknown>;
    send({ type: 'result', id, value: await run(request, control) });
  } catch (error) {
    send({ type: 'error', id, error: carried(error) });
  } finally {
    open.delete(id);
  }
}

port.on('message', (message: ToEngine) => {
  if (message.type === 'abort') open.get(message.id)?.abort();
  // No graph run is under way while a message is taken.
  else if (message.type === 'close') process.exit(0);
  else void serve(message);
});
send({ type: 'ready' });
