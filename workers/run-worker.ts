/** One worker on one queue: connect, register, serve, drain, close. */
import { setTimeout } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { DomainError } from '../shared/errors.ts';
import { heartbeatThrottleMs } from '../activities/heartbeats.ts';
import type { Tracing } from '../activities/telemetry/tracing.ts';
import { openStore } from '../activities/store/connect.ts';
import { workflowBundle } from './bundle.ts';
import { ownParts, serveQueue } from './queues.ts';
import type { QueueName, WorkerParts } from './queues.ts';
import type { WorkerSettings } from './settings.ts';

export interface RunningWorker {
  /** Resolves when the worker has drained after `shutdown`; rejects if it failed. */
  done: Promise<void>;
  shutdown(): void;
}

/** Resolves when the worker polls. Throws `StoreUnavailable`, or the SDK's connection errors. */
export async function startWorker(
  queue: QueueName,
  settings: WorkerSettings,
  tracing: Tracing | null,
  parts: WorkerParts = ownParts,
): Promise<RunningWorker> {
  const { config } = settings;
  const store = await openStore({ uri: settings.mongoUri, database: settings.database, onCommand: parts.onCommand });
  const served = await serveQueue(queue, store, settings, parts);
  const connection = await connectTemporal(settings);
  const worker = await Worker.create({
    connection,
    namespace: settings.namespace,
    taskQueue: config.queues[queue],
    identity: `${queue}-${process.pid}`,
    ...(served.runsWorkflows ? versionOf(settings) : {}),
    activities: served.activities,
    maxConcurrentActivityTaskExecutions: served.slots,
    shutdownGraceTime: config.workers.shutdownGraceMs,
    // How often activities heartbeat is decided where they do (activities/heartbeats.ts).
    maxHeartbeatThrottleInterval: heartbeatThrottleMs,
    defaultHeartbeatThrottleInterval: heartbeatThrottleMs,
    ...(settings.dataConverter === null ? {} : { dataConverter: settings.dataConverter }),
    ...(served.runsWorkflows ? { workflowBundle: await bundleFor(settings, tracing) } : {}),
    ...(tracing === null ? {} : await tracedBy(tracing)),
  });
  const run = async () => {
    try {
      const running = worker.run();
      const death = await Promise.race([running, served.died ?? running]);
      // Its activities have failed already; once they are reported, Temporal gives them to another worker.
      if (death !== undefined) {
        worker.shutdown();
        await Promise.race([running, setTimeout(2 * config.workers.shutdownGraceMs, undefined, { ref: false })]);
        throw death;
      }
    } finally {
      await served.close();
      await connection.close();
      await store.close();
    }
  };
  return { done: run(), shutdown: () => worker.shutdown() };
}

async function connectTemporal({ connection }: WorkerSettings): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connection);
  } catch (cause) {
    throw new DomainError(
      'TemporalUnavailable',
      `no Temporal server answers at ${connection.address ?? 'localhost:7233'}: ${(cause as Error).message}. Start it, or correct TEMPORAL_ADDRESS and the TLS settings (docs/servers.md)`,
      {},
      { cause },
    );
  }
}

/**
 * Workflows end on the version of the code on which they began; `trainingRun` and `study`, which do little but wait, say
 * otherwise themselves. Workers of activities carry no version: activities take and give the same in all of them.
 */
const versionOf = ({ deployment }: WorkerSettings): Pick<WorkerOptions, 'workerDeploymentOptions'> =>
  deployment === null
    ? {}
    : {
        workerDeploymentOptions: {
          version: deployment,
          useWorkerVersioning: true,
          defaultVersioningBehavior: 'PINNED',
        },
      };

const bundleFor = ({ stateDir, dataConverter }: WorkerSettings, tracing: Tracing | null) =>
  workflowBundle(stateDir, { traced: tracing !== null, encrypted: dataConverter !== null });

/** Spans of workflows leave through a sink, those of activities from where they run. */
async function tracedBy({ processor, resource }: Tracing): Promise<Pick<WorkerOptions, 'sinks' | 'interceptors'>> {
  const otel = await import('@temporalio/interceptors-opentelemetry');
  return {
    sinks: { exporter: otel.makeWorkflowExporter(processor, resource) },
    interceptors: {
      activity: [
        (context) => ({
          inbound: new otel.OpenTelemetryActivityInboundInterceptor(context),
          outbound: new otel.OpenTelemetryActivityOutboundInterceptor(context),
        }),
      ],
    },
  };
}
