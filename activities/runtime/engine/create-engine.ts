/**
 * The engine as the rest of the program uses it: in a thread of its own, for a graph run blocks its thread, and the
 * caller's heartbeats and polls must go on. A thread that ends rejects everything that waits for it with `EngineDied`.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DomainError } from '../../../shared/errors.ts';
import type { EngineOptions, PolicyEngine, PolicySource, RequestControl, TrainProgress } from './contract.ts';
import { checkProvider, forbidTf32 } from './execution-provider.ts';
import { promisesOf } from './promises.ts';
import type { CarriedError, FromEngine, Method, ToEngine } from './protocol.ts';

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress?: (progress: TrainProgress) => void;
}

const errorOf = ({ name, failure, message, data }: CarriedError): Error =>
  failure === null ? Object.assign(new Error(message), { name }) : new DomainError(failure, message, data);

class EngineThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private death: DomainError | null = null;
  private tellDeath: (death: DomainError) => void = () => undefined;
  readonly ready: Promise<void>;
  readonly died = new Promise<DomainError>((resolve) => (this.tellDeath = resolve));

  constructor(options: EngineOptions) {
    this.worker = new Worker(new URL('./thread-entry.mjs', import.meta.url), { workerData: options });
    this.ready = new Promise((resolve, reject) => {
      this.pending.set(-1, { resolve: () => resolve(), reject });
    });
    this.worker.on('message', (message: FromEngine) => this.receive(message));
    this.worker.on('error', (error) => this.die(`the engine's thread failed: ${String(error)}`, error));
    this.worker.on('exit', (code) => this.die(`the engine's thread ended with code ${code}`));
  }

  /** `moved`: buffers of the request that the thread takes over instead of a copy. */
  call<Result>(
    method: Method,
    request: unknown,
    { signal, onProgress }: RequestControl = {},
    moved: readonly ArrayBuffer[] = [],
  ): Promise<Result> {
    if (this.death !== null) return Promise.reject(this.death);
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = this.next++;
    return new Promise<Result>((resolve, reject) => {
      const onAbort = () => {
        this.pending.delete(id);
        this.post({ type: 'abort', id });
        reject(signal!.reason as Error);
      };
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          signal?.removeEventListener('abort', onAbort);
          then(value);
        };
      this.pending.set(id, {
        resolve: settle(resolve as (value: unknown) => void),
        reject: settle(reject),
        onProgress,
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.post({ type: 'call', id, method, request: request as never }, moved);
    });
  }

  async end(): Promise<void> {
    this.tellDeath = () => undefined;
    const isUp = this.death === null;
    this.die('the engine was closed');
    if (!isUp) return;
    // Terminating a thread inside a graph run aborts the whole process, so the thread ends itself after the run.
    const gone = once(this.worker, 'exit');
    this.post({ type: 'close' });
    await gone;
  }

  private post(message: ToEngine, moved: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(message, [...moved]);
  }

  private receive(message: FromEngine): void {
    const id = message.type === 'ready' ? -1 : message.id;
    const waiting = this.pending.get(id);
    // Aborted requests are no longer waited for.
    if (waiting === undefined) return;
    if (message.type === 'progress') {
      waiting.onProgress?.(message.progress);
      return;
    }
    this.pending.delete(id);
    if (message.type === 'error') waiting.reject(errorOf(message.error));
    else waiting.resolve(message.type === 'ready' ? undefined : message.value);
  }

  private die(reason: string, cause?: unknown): void {
    if (this.death !== null) return;
    this.death = new DomainError('EngineDied', `${reason}. Start the worker again`, {}, { cause });
    this.tellDeath(this.death);
    for (const waiting of this.pending.values()) waiting.reject(this.death);
    this.pending.clear();
  }
}

/** The memory of a version's tensors, each buffer once. */
function buffersOf({ parameters, optimizer }: PolicySource): ArrayBuffer[] {
  const tensors = [parameters, optimizer?.m, optimizer?.v].flatMap((some) => [...(some?.values() ?? [])]);
  return [...new Set(tensors.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** An engine that can die under its user. */
export interface ThreadedEngine extends PolicyEngine {
  /** Resolves when the thread ends by itself; never after `close`. */
  readonly died: Promise<DomainError>;
}

/** Starts the thread. Throws `EngineDied` if it cannot start, `InvalidConfig` if its provider is not there. */
export async function createEngine(options: EngineOptions): Promise<ThreadedEngine> {
  checkProvider(options.executionProvider);
  forbidTf32(options.executionProvider);
  const thread = new EngineThread(options);
  await thread.ready;
  return {
    promises: promisesOf(options),
    loadPolicy: (source) => thread.call('loadPolicy', source, {}, buffersOf(source)),
    hasPolicy: (version) => thread.call('hasPolicy', version),
    unloadPolicy: (version) => thread.call('unloadPolicy', version),
    generate: (request, control) => thread.call('generate', request, control),
    update: (request, control) => thread.call('update', request, control),
    sft: (request, control) => thread.call('sft', request, control),
    gradients: (request, control) => thread.call('gradients', request, control),
    step: (request) => thread.call('step', request),
    logProbs: (request, control) => thread.call('logProbs', request, control),
    stats: () => thread.call('stats', undefined),
    close: () => thread.end(),
    died: thread.died,
  };
}
