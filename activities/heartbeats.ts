/**
 * When the activities of a worker heartbeat. A cancellation, or the news that the workflow is gone, comes back with a
 * heartbeat, so a run should ask every second; but each heartbeat is a write of the server's (2.4 ms of a processor), so all
 * activities of a run share a fixed number a second, and the first of them that learns of its end makes the others ask at
 * once. Knows neither activities' work nor why they end.
 */

/** Two of these and the way through five levels of workflows fit into 2 s. */
const quickestMs = 800;
/** Whatever it costs: of the heartbeat timeout; the rest is for a loaded server. */
const slowestShare = 0.6;
/** Of the activities that one run has in one worker; 64 of them then ask every 6.4 s each. */
const beatsPerSecond = 10;
/** The same, once one of them has ended. */
const hurriedBeatsPerSecond = 500;
/** How long a run's activities ask more often once one of them has ended. */
const hurryMs = 5_000;
/** A step of the golden ratio spreads any number of first beats evenly. */
const spread = 0.618_034;

/** The SDK sends no two heartbeats of an activity within this time. */
export const heartbeatThrottleMs = 400;

interface Open {
  run: string;
  beat: () => void;
  longestMs: number;
  timer: NodeJS.Timeout | undefined;
}

export class Heartbeats {
  readonly #runs = new Map<string, { open: Set<Open>; hurriedUntilMs: number }>();
  #opened = 0;

  /** Calls `beat` again and again until the returned function is called. `timeoutMs`: silence for so long is death. */
  open(run: string, timeoutMs: number | undefined, beat: () => void): () => void {
    const longestMs = slowestShare * (timeoutMs ?? Infinity);
    const own: Open = { run, beat, longestMs, timer: undefined };
    const known = this.#runs.get(run) ?? { open: new Set(), hurriedUntilMs: 0 };
    this.#runs.set(run, known);
    known.open.add(own);
    this.#opened += 1;
    this.#schedule(own, (1 + ((this.#opened * spread) % 1)) / 2);
    return () => {
      clearTimeout(own.timer);
      known.open.delete(own);
      if (known.open.size === 0 && this.#runs.get(run) === known) this.#runs.delete(run);
    };
  }

  /** An activity of the run was cancelled: the others ask whether they are, too. */
  hurry(run: string): void {
    const known = this.#runs.get(run);
    if (known === undefined) return;
    const now = performance.now();
    const isNew = known.hurriedUntilMs < now;
    known.hurriedUntilMs = now + hurryMs;
    if (!isNew) return;
    for (const each of known.open) {
      clearTimeout(each.timer);
      each.beat();
      this.#schedule(each, 1);
    }
  }

  #schedule(own: Open, share: number): void {
    own.timer = setTimeout(
      () => {
        own.beat();
        this.#schedule(own, 1);
      },
      this.#intervalMs(own) * share,
    );
  }

  #intervalMs({ run, longestMs }: Open): number {
    const { open, hurriedUntilMs } = this.#runs.get(run)!;
    const perSecond = hurriedUntilMs > performance.now() ? hurriedBeatsPerSecond : beatsPerSecond;
    return Math.min(longestMs, Math.max(quickestMs, (1000 * open.size) / perSecond));
  }
}
