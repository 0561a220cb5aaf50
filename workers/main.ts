/**
 * Process entry: `node --import tsx workers/main.ts control|gpu|sandbox|all`. Prints `ready QUEUE` when it polls. SIGTERM
 * and SIGINT drain it; a failure ends the process, so that Temporal gives its work to another.
 */
import { DomainError } from '../shared/errors.ts';
import { Runtime } from '@temporalio/worker';
import { startTracing } from '../activities/telemetry/tracing.ts';
import { levelOf, openLog, sdkLogger } from './log.ts';
import { metricsAddress } from './metrics.ts';
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
  const settings = readSettings();
  const log = await openLog(queues.length === 1 ? queues[0]! : 'all', process.env);
  const bindAddress = metricsAddress(queues, settings.config.telemetry.metrics, process.env);
  const tracing = await startTracing(`metaagentx-${queues.join('+')}`);
  // The process decides about signals itself: the SDK's own handlers would shut down without closing the engine.
  Runtime.install({
    logger: sdkLogger(log, process.env),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: levelOf(process.env) },
      ...(bindAddress === null ? {} : { metrics: { prometheus: { bindAddress, countersTotalSuffix: true } } }),
    },
  });
  const workers = await Promise.all(queues.map((queue) => startWorker(queue, settings, tracing)));
  const shutdown = () => workers.forEach((worker) => worker.shutdown());
  process.once('SIGTERM', shutdown);
  process.once('SIGINT', shutdown);
  for (const queue of queues) console.log(`ready ${queue}`);
  try {
    await Promise.all(workers.map((worker) => worker.done));
  } finally {
    await tracing?.close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof DomainError ? `${error.name}: ${error.message}` : error);
    process.exit(error instanceof DomainError && error.name === 'InvalidInput' ? exitUsage : 1);
  },
);
