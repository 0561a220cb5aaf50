/** Loaded first into a worker process under test and into its threads: SIGUSR2 makes the engine's thread throw. */
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';

const channel = new BroadcastChannel('crash the engine');
channel.unref();
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage('now'));
// Of all threads only the engine's is told about an execution provider.
else if (workerData?.executionProvider !== undefined) {
  channel.onmessage = () => {
    throw new Error('crashed by a test');
  };
}
