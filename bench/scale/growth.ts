/** One iteration of each size on servers and workers of its own; what it took beyond its model calls, and who used what. */
import { met, show } from '../sandbox/row.ts';
import { iterationPath } from './critical-path.ts';
import { startFleet } from './fleet.ts';
import type { Fleet, ProcessUse, WorkerWish } from './fleet.ts';
import { requestsBetween } from './server-requests.ts';
import type { Requests } from './server-requests.ts';
import type { CommandsLine, TraceLine } from './trace.ts';
import { iterationTimes, oneIteration, train } from './train.ts';

export interface GrowthSettings {
  /** Questions of an iteration; the first is 1x. */
  sizes: readonly number[];
  gpuWorkers: number;
  /** Of all gpu workers together. */
  slots: number;
  /** Questions that are open at once. */
  window: number;
  /** Folder of CPU profiles; absent: none. */
  profile?: string;
}

const goalMsPerCall = 5;
const goalGrowth = 1.2;

interface Measured {
  questions: number;
  executions: number;
  calls: number;
  wallMs: number;
  /** Wall time beyond the critical path of the model's calls. */
  overheadMs: number;
}

export async function measureGrowth(settings: GrowthSettings): Promise<void> {
  const all: Measured[] = [];
  for (const questions of settings.sizes) all.push(await measure(settings, questions));
  const [first, last] = [all[0]!, all.at(-1)!];
  const factor = `${last.questions / first.questions}x`;
  const perCall = last.overheadMs / last.calls;
  const perExecution = (row: Measured) => row.overheadMs / row.executions;
  const growth = perExecution(last) / perExecution(first);
  show(
    `${factor}: Temporal, store and scripts, a call`,
    `${perCall.toFixed(2)} ms`,
    met(perCall <= goalMsPerCall, `≤ ${goalMsPerCall} ms`),
  );
  show(`time per execution, 1x to ${factor}`, `x ${growth.toFixed(2)}`, met(growth < goalGrowth, `< ${goalGrowth}`));
}

const wishesOf = ({ gpuWorkers, slots, profile }: GrowthSettings): WorkerWish[] => {
  const nodeArgs = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile];
  const worker = (queue: WorkerWish['queue'], own: number): WorkerWish => ({
    queue,
    engine: 'simulated',
    slots: own,
    nodeArgs,
  });
  const gpus = Array.from({ length: gpuWorkers }, () => worker('gpu', Math.ceil(slots / gpuWorkers)));
  return [worker('control', 64), ...gpus, worker('sandbox', 64)];
};

async function measure(settings: GrowthSettings, questions: number): Promise<Measured> {
  const fleet = await startFleet(wishesOf(settings));
  try {
    const [before, requestsBefore] = [fleet.use(), await fleet.requests()];
    const runId = `scale-${questions}`;
    await train(fleet, runId, oneIteration(questions, settings.window));
    const [after, requestsAfter] = [fleet.use(), await fleet.requests()];
    const [times] = await iterationTimes(fleet, runId);
    const history = await historySizes(fleet, runId);
    const lines = await fleet.endWorkers();
    const path = iterationPath(lines, { ...times!, width: settings.window });
    const wallMs = times!.toMs - times!.fromMs;
    const overheadMs = wallMs - path.modelMs - path.updateMs;
    const { executions } = times!;
    const { calls } = path;
    show(`${questions} questions x 4 x 4`, `${executions} executions, ${calls} calls, ${(wallMs / 1000).toFixed(1)} s`);
    show('  rollouts a second', ((1000 * executions) / wallMs).toFixed(1));
    show('  critical path of the model, s', (path.modelMs / 1000).toFixed(2));
    show(
      '  beyond it, ms an execution, ms a call',
      `${(overheadMs / executions).toFixed(2)}, ${(overheadMs / calls).toFixed(2)}`,
    );
    show('  iteration history: events, KiB', `${history.events}, ${(history.bytes / 1024).toFixed(0)}`);
    showUse(before, after, calls);
    showRequests(requestsBefore, requestsAfter, calls);
    showCommands(lines, calls);
    return { questions, executions, calls, wallMs, overheadMs };
  } finally {
    await fleet.stop();
  }
}

async function historySizes({ client }: Fleet, runId: string): Promise<{ events: number; bytes: number }> {
  const { raw, historyLength } = await client.workflow.getHandle(`${runId}/stage-01/iter-001`).describe();
  return { events: historyLength, bytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0) };
}

function showUse(before: Record<string, ProcessUse>, after: Record<string, ProcessUse>, calls: number): void {
  for (const [name, { cpuMs, peakMb }] of Object.entries(after)) {
    const own = cpuMs - (before[name]?.cpuMs ?? 0);
    show(
      `  ${name}`,
      `CPU ${(own / 1000).toFixed(1)} s, ${(own / calls).toFixed(2)} ms a call; peak ${peakMb.toFixed(0)} MB`,
    );
  }
}

/** Rarer ones are the server's own housekeeping. */
const rarestShown = 0.005;

function showRequests(before: Requests, after: Requests, calls: number): void {
  const rows = requestsBetween(before, after);
  for (const part of ['frontend', 'database']) {
    const own = rows.filter(([operation]) => operation.startsWith(part));
    const total = own.reduce((sum, [, count]) => sum + count, 0);
    show(`  requests to Temporal's ${part}`, `${total}, ${(total / calls).toFixed(2)} a call`);
    for (const [operation, count] of own.filter(([, count]) => count / calls >= rarestShown))
      show(`    ${operation.slice(part.length + 1)}`, `${count}, ${(count / calls).toFixed(3)} a call`);
  }
}

/** Commands of the work itself; the others open the store. */
const ofWork = new Set(['find', 'getMore', 'insert', 'update', 'delete']);

/** The store's commands by kind, most frequent first; what one answer brought and what one document took at most. */
function showCommands(lines: readonly TraceLine[], calls: number): void {
  const sums = new Map<string, CommandsLine>();
  for (const line of lines) {
    if (line.kind !== 'commands') continue;
    const key = `${line.name} ${line.collection}`;
    const known = sums.get(key);
    sums.set(key, known === undefined ? line : sumOf(known, line));
  }
  const rows = [...sums].sort(([, a], [, b]) => b.count - a.count);
  const total = rows.reduce((sum, [, { count }]) => sum + count, 0);
  show('  commands to the store', `${total}, ${(total / calls).toFixed(2)} a call`);
  for (const [key, { name, count, documents, mostDocuments, ms, mostUpdates }] of rows) {
    if (!ofWork.has(name)) continue;
    const updates = mostUpdates === 0 ? '' : `, one document at most ${mostUpdates} times`;
    show(
      `    ${key}`,
      `${count} (mean ${(ms / count).toFixed(1)} ms), ${documents} documents, at most ${mostDocuments} at once${updates}`,
    );
  }
}

const sumOf = (a: CommandsLine, b: CommandsLine): CommandsLine => ({
  ...a,
  count: a.count + b.count,
  documents: a.documents + b.documents,
  mostDocuments: Math.max(a.mostDocuments, b.mostDocuments),
  ms: a.ms + b.ms,
  mostUpdates: Math.max(a.mostUpdates, b.mostUpdates),
});
