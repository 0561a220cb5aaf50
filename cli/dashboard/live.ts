/**
 * Server-sent events that say that a run or a batch has changed; pages then read themselves again. What is watched is a
 * fingerprint of counts, cheap on any store; one look serves all pages that watch the same path.
 */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Store } from '../../activities/store/connect.ts';

const lookEveryMs = 1_000;
/** Comments that keep idle connections open through whatever lies between. */
const beatEveryMs = 15_000;

interface Look {
  at: number;
  fingerprint: Promise<string>;
}
const looks = new WeakMap<Store, Map<string, Look>>();

/** A text that differs when the documents under `path` do: a run, a batch, or all runs (empty path). */
function fingerprintOf(store: Store, path: string): Promise<string> {
  const known = looks.get(store) ?? new Map<string, Look>();
  looks.set(store, known);
  const last = known.get(path);
  if (last !== undefined && performance.now() - last.at < lookEveryMs / 2) return last.fingerprint;
  const look = { at: performance.now(), fingerprint: read(store, path) };
  known.set(path, look);
  return look.fingerprint;
}

async function read(store: Store, path: string): Promise<string> {
  if (path === '') {
    const { sound, refused } = await store.runs.findSound({}, { projection: { status: 1 } });
    const iterations = await store.iterations.countDocuments({});
    return JSON.stringify([sound.map(({ _id, status }) => [_id, status]), refused, iterations]);
  }
  if (path.includes('/')) {
    const batchId = path;
    const counts = [store.designs, store.executions, store.verdicts, store.credits, store.calls].map((collection) =>
      (collection as typeof store.designs).countDocuments({ batchId }),
    );
    const records = [
      store.iterations.countDocuments({ _id: batchId }),
      store.evaluations.countDocuments({ _id: batchId }),
    ];
    return JSON.stringify(await Promise.all([...counts, ...records]));
  }
  const runId = path;
  const [run, ...counts] = await Promise.all([
    store.runs.findOne({ _id: runId }, { projection: { status: 1 } }),
    ...[store.iterations, store.evaluations, store.policies, store.stages].map((collection) =>
      (collection as typeof store.stages).countDocuments({ runId }),
    ),
  ]);
  return JSON.stringify([run?.status, counts]);
}

/** `changed` whenever the fingerprint does; the first event says that the watch has begun. */
export function liveEvents(c: Context, store: Store, path: string): Response {
  return streamSSE(c, async (stream) => {
    let ended = false;
    stream.onAbort(() => void (ended = true));
    let seen = await fingerprintOf(store, path);
    await stream.writeSSE({ event: 'watching', data: '' });
    let beatMs = performance.now();
    while (!ended) {
      await stream.sleep(lookEveryMs);
      const now: string = await fingerprintOf(store, path).catch(() => seen);
      if (now !== seen) {
        seen = now;
        await stream.writeSSE({ event: 'changed', data: '' });
      } else if (performance.now() - beatMs > beatEveryMs) {
        beatMs = performance.now();
        await stream.write(': \n\n');
      }
    }
  });
}
