/** What a seed stands for: a list of faults, each some time after the one before. Pure; the same seed gives the same list. */
import { crashPoints } from '../../activities/crash-point.ts';
import type { CrashPoint } from '../../activities/crash-point.ts';
import { integer, uniform } from '../../shared/random.ts';

export const workers = ['gpu', 'sandbox', 'control'] as const;
export const servers = ['temporal', 'mongo'] as const;
/** `up` owns the workers; `watcher` only looks. */
export const commands = ['up', 'watcher'] as const;
export type Server = (typeof servers)[number];
export type Target = (typeof workers)[number] | Server | (typeof commands)[number];

export type Fault =
  | { kind: 'kill' | 'drain'; target: Target }
  | { kind: 'freeze'; target: Target; forMs: number }
  /** Connections to a server break, and new ones are refused. */
  | { kind: 'cut'; target: Server; forMs: number }
  /** Connections to a server swallow what they are given, and break at the end. */
  | { kind: 'swallow'; target: Server; forMs: number }
  | { kind: 'delay'; target: Server; forMs: number; byMs: number }
  /** No byte can be added to the folder of the servers' data. */
  | { kind: 'disk-full'; forMs: number }
  | { kind: 'crash'; point: CrashPoint };

export interface TimedFault {
  /** After the fault before it. */
  afterMs: number;
  fault: Fault;
}

type Draw = (from: number, to: number) => number;

/** Kinds by weight: most of what happens to a training run happens to its gpu worker. */
const kinds: readonly [weight: number, make: (draw: Draw, pick: <T>(from: readonly T[]) => T) => Fault][] = [
  [6, () => ({ kind: 'kill', target: 'gpu' })],
  [4, (_, pick) => ({ kind: 'kill', target: pick(['control', 'sandbox']) })],
  [3, (_, pick) => ({ kind: 'kill', target: pick(servers) })],
  [2, (_, pick) => ({ kind: 'kill', target: pick(commands) })],
  [2, (_, pick) => ({ kind: 'drain', target: pick(workers) })],
  [3, (draw) => ({ kind: 'freeze', target: 'gpu', forMs: draw(500, 9_000) })],
  [3, (draw, pick) => ({ kind: 'freeze', target: pick(['control', 'sandbox', 'up']), forMs: draw(500, 6_000) })],
  [2, (draw, pick) => ({ kind: 'freeze', target: pick(servers), forMs: draw(500, 4_000) })],
  [3, (draw, pick) => ({ kind: 'cut', target: pick(servers), forMs: draw(200, 3_000) })],
  [2, (draw, pick) => ({ kind: 'swallow', target: pick(servers), forMs: draw(500, 4_000) })],
  [2, (draw, pick) => ({ kind: 'delay', target: pick(servers), forMs: draw(1_000, 5_000), byMs: draw(20, 400) })],
  [2, (draw) => ({ kind: 'disk-full', forMs: draw(300, 2_500) })],
  [8, (_, pick) => ({ kind: 'crash', point: pick(crashPoints) })],
];
const totalWeight = kinds.reduce((sum, [weight]) => sum + weight, 0);

/** A supervisor gives a server up that dies six times in two minutes, so one server is not killed so often. */
const mostServerKills = 2;

export function scheduleOf(seed: number, count: number, pace: { fromMs: number; toMs: number }): TimedFault[] {
  const faults: TimedFault[] = [];
  const kills = new Map<string, number>();
  for (let at = 0; faults.length < count; at++) {
    const key = `chaos/${seed}/${at}`;
    let counter = 0;
    const draw: Draw = (from, to) => from + integer(key, counter++, to - from + 1);
    const pick = <T>(from: readonly T[]): T => from[integer(key, counter++, from.length)]!;
    let left = uniform(key, counter++) * totalWeight;
    const [, make] = kinds.find(([weight]) => (left -= weight) < 0) ?? kinds[0]!;
    const afterMs = draw(pace.fromMs, pace.toMs);
    const fault = make(draw, pick);
    if (fault.kind === 'kill' && (servers as readonly string[]).includes(fault.target)) {
      const before = kills.get(fault.target) ?? 0;
      if (before >= mostServerKills) continue;
      kills.set(fault.target, before + 1);
    }
    faults.push({ afterMs, fault });
  }
  return faults;
}

export const describeFault = (fault: Fault): string =>
  [
    fault.kind,
    'target' in fault ? fault.target : '',
    'point' in fault ? fault.point : '',
    'forMs' in fault ? `${fault.forMs} ms` : '',
    'byMs' in fault ? `by ${fault.byMs} ms` : '',
  ]
    .filter(Boolean)
    .join(' ');
