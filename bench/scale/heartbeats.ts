/**
 * What the heartbeats of long activities cost the server, and how soon a cancelled run's activities know: one worker, N
 * activities of one run that do nothing but wait, 16 a question.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { bounded } from '../../activities/boundary.ts';
import { heartbeatThrottleMs } from '../../activities/heartbeats.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import type { HierarchicalRolloutInput } from '../../workflows/hierarchical-rollout.ts';
import { show } from '../sandbox/row.ts';
import { startFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';

const queue = 'heartbeats';
/** Activities that one workflow waits for. */
const widest = 16;
const watchedMs = 20_000;

export async function measureHeartbeats(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  for (const activities of [64, 640]) {
    const fleet = await startFleet([]);
    try {
      await measure(fleet, activities);
    } finally {
      await fleet.stop();
    }
  }
}

async function measure({ client, stateDir, address, use }: Fleet, count: number): Promise<void> {
  let open = 0;
  const waiting = bounded(
    (_: unknown, { signal }) =>
      new Promise<never>((_resolve, reject) => {
        open += 1;
        signal.addEventListener('abort', () => {
          open -= 1;
          reject(signal.reason as Error);
        });
      }),
  );
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue: queue,
    workflowBundle: await workflowBundle(stateDir),
    activities: {
      sampleDesigns: async ({ designs }: { designs: number }) => ({
        valid: Array.from({ length: designs }, (_, design) => design),
        invalid: 0,
      }),
      executeDesign: waiting,
    },
    maxConcurrentActivityTaskExecutions: count + 8,
    maxHeartbeatThrottleInterval: heartbeatThrottleMs,
  });
  const served = worker.run();
  const rollouts = Array.from({ length: Math.ceil(count / widest) }, (_, slot) => slot);
  const handles = await Promise.all(
    rollouts.map((slot) =>
      client.workflow.start('hierarchicalRollout', {
        workflowId: `beats/stage-01/iter-001/q-${slot}`,
        taskQueue: queue,
        args: [inputOf(slot, Math.min(widest, count - slot * widest))],
      }),
    ),
  );
  while (open < count) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = use().temporal!.cpuMs;
  await new Promise((resolve) => setTimeout(resolve, watchedMs));
  const cpuMs = use().temporal!.cpuMs - before;
  const askedMs = performance.now();
  await Promise.all(handles.map((handle) => handle.cancel()));
  const knownMs: number[] = [];
  for (const share of [0.5, 0]) {
    while (open > share * count) await new Promise((resolve) => setTimeout(resolve, 5));
    knownMs.push(performance.now() - askedMs);
  }
  show(`${count} waiting activities: Temporal's share of a core`, `${((100 * cpuMs) / watchedMs).toFixed(1)} %`);
  show('  half of them, and all, know of a cancellation after', `${knownMs.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  await Promise.all(handles.map((handle) => handle.result().catch(() => undefined)));
  worker.shutdown();
  await served;
  await connection.close();
}

const inputOf = (slot: number, designs: number): HierarchicalRolloutInput => ({
  runId: 'beats',
  batchId: 'beats/stage-01/iter-001',
  purpose: 'train',
  policyVersion: 0,
  slot,
  questionIndex: slot,
  designs,
  executions: 1,
  plan: { queues: { control: queue, gpu: queue, sandbox: queue }, activities: resolveTemporalConfig({}).activities },
});
