/**
 * What a step costs that does nothing, on this server with the settings of the product: activities on another worker's
 * queue and on the workflow's own, local activities, child workflows; one after another, nobody else at work.
 */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { quantile, show } from '../sandbox/row.ts';
import { startFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';

const own = 'floor-own';
const other = 'floor-other';
const activities = { nothing: async () => undefined };
const steps = 20;
const rounds = 5;
const kinds = {
  'activity on another queue': ['activity', other],
  "activity on the workflow's own queue": ['activity', own],
  'local activity': ['local', own],
  'child workflow': ['child', own],
} as const;

export async function measureFloor(): Promise<void> {
  const fleet = await startFleet([]);
  const connection = await NativeConnection.connect({ address: fleet.address });
  const workflowsPath = fileURLToPath(new URL('./floor-workflow.ts', import.meta.url));
  const workers = [
    await Worker.create({ connection, taskQueue: own, activities, workflowsPath }),
    await Worker.create({ connection, taskQueue: other, activities }),
  ];
  const served = workers.map((worker) => worker.run());
  try {
    for (const [name, [step, queue]] of Object.entries(kinds)) show(name, await stepTime(fleet, step, queue));
    show('all steps of an iteration, empty', await iterationTime(fleet));
  } finally {
    for (const worker of workers) worker.shutdown();
    await Promise.all(served);
    await connection.close();
    await fleet.stop();
  }
}

/** A step's time: of a workflow with `steps` of them, less that of one without any. */
async function stepTime({ client }: Fleet, step: string, queue: string): Promise<string> {
  const times: number[] = [];
  const run = async (count: number, round: number) => {
    const workflowId = `${step}-${queue}-${count}-${round}`;
    const beganMs = performance.now();
    await client.workflow.execute('floor', { workflowId, taskQueue: own, args: [step, count, queue] });
    return performance.now() - beganMs;
  };
  for (let round = 0; round < rounds; round += 1) {
    const none = await run(0, round);
    times.push(((await run(steps, round)) - none) / steps);
  }
  return spread(times);
}

/** As the server saw it: from its start to its end. */
async function iterationTime({ client }: Fleet): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < 4 * rounds; round += 1) {
    const handle = await client.workflow.start('emptyIteration', {
      workflowId: `iteration-${round}`,
      taskQueue: own,
      args: [other],
    });
    await handle.result();
    const { startTime, closeTime } = await handle.describe();
    times.push(closeTime!.getTime() - startTime.getTime());
  }
  return spread(times);
}

const spread = (times: readonly number[]) =>
  `${quantile(times, 0.5).toFixed(1)} ms (${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)})`;
