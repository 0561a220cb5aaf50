/**
 * Process entry: `node --import tsx workers/main.ts control|gpu|sandbox|all`. Prints `ready QUEUE` when it polls. SIGTERM
 * and SIGINT drain it; a failure ends the process, so that Temporal gives its work to another.
 */
import { DomainError } from '../shared/errors.ts';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { queueNames } from './queues.ts';
import type { QueueName } from './queues.ts';
import { startWorker } from './run-worker.ts';
import { readSettings } from './settings.ts';

const exitUsage = 2;

function queuesOf(argument: string | undefined): readonly QueueName[] {
  if (argument === 'all') return queueNames;
  const queue = queueNames.find((name) => name === argument);
  if (queue !== undefined) return [queue];
  throw new DomainError('InvalidInput', `unknown queue '${argument ?? ''}': expected ${queueNames.join(', ')} or all`);
}

async function main(): Promise<void> {
  const queues = queuesOf(process.argv[2]);
  // The process decides about signals itself: the SDK's own handlers would shut down without closing the engine.
  Runtime.install({
    logger: new DefaultLogger('WARN'),
    shutdownSignals: [],
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
  const settings = readSettings();
  const workers = await Promise.all(queues.map((queue) => startWorker(queue, settings)));
  const shutdown = () => workers.forEach((worker) => worker.shutdown());
  process.once('SIGTERM', shutdown);
  process.once('SIGINT', shutdown);
  for (const queue of queues) console.log(`ready ${queue}`);
  await Promise.all(workers.map((worker) => worker.done));
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof DomainError ? `${error.name}: ${error.message}` : error);
    process.exit(error instanceof DomainError && error.name === 'InvalidInput' ? exitUsage : 1);
  },
);
