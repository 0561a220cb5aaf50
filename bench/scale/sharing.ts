/** Bytes of weights and moments that each gpu worker of one run reads from the store, on one machine and on machines of their own. */
import { met, show } from '../sandbox/row.ts';
import { startFleet } from './fleet.ts';
import type { Fleet, WorkerWish } from './fleet.ts';
import type { CommandsLine } from './trace.ts';
import { train } from './train.ts';

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** 15 MiB of weights, so that they and not small documents are what crosses; short training. */
const changes = [
  'policy.init.decoder.hiddenSize=256',
  'policy.init.decoder.intermediateSize=768',
  'policy.init.decoder.numLayers=6',
  'coldStart.steps=20',
  'rollout.questionsPerIteration=8',
  'stages.iterationsPerStage=3',
  'update.dropZeroAdvantage=false',
  'evaluation.limit=0',
];

const other = (queue: 'control' | 'sandbox'): WorkerWish => ({ queue, engine: 'real', slots: 64 });
const gpu = (machine: string): WorkerWish => ({ queue: 'gpu', engine: 'real', slots: 8, machine });

const cases: Record<string, readonly string[]> = {
  'one worker': ['a'],
  'two workers, one machine': ['a', 'a'],
  'two workers, two machines': ['a', 'b'],
};

export async function measureSharing(): Promise<void> {
  for (const [name, machines] of Object.entries(cases)) {
    const fleet = await startFleet([other('control'), ...machines.map(gpu), other('sandbox')]);
    try {
      await measure(name, fleet);
    } finally {
      await fleet.stop();
    }
  }
}

async function measure(name: string, fleet: Fleet): Promise<void> {
  await train(fleet, 'sharing', changes);
  const blobs = await fleet.store.blobs.list();
  const storedBytes = blobs.reduce((sum, { bytes }) => sum + bytes, 0);
  const read = new Map<number, number>();
  for (const line of await fleet.endWorkers())
    if (line.kind === 'commands') read.set(line.pid, (read.get(line.pid) ?? 0) + chunkBytes(line));
  const each = [...read.values()].filter((bytes) => bytes > 0);
  show(`${name}: blobs stored`, `${blobs.length}, ${megabytes(storedBytes)} MiB`);
  for (const bytes of each) show('  read from the store by one worker', `${megabytes(bytes)} MiB`);
  const most = Math.max(0, ...each);
  show('  the most of one worker, of what is stored', (most / storedBytes).toFixed(2), met(most <= storedBytes, '≤ 1'));
}

const chunkBytes = ({ collection, binaryBytes }: CommandsLine) => (collection === 'weights.chunks' ? binaryBytes : 0);
