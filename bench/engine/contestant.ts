/** A child process that does benchmark work on request: one JSON line in, one out, so that two can take turns. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What `train`, `generate` and the like report. */
export interface Timing {
  /** Wall time. */
  ms: number;
  /** User and system time of all threads. */
  cpuMs: number;
  /** Peak resident memory of the process so far. */
  peakMb: number;
}

export interface Contestant {
  name: string;
  ask<Result>(request: object): Promise<Result>;
  stop(): Promise<void>;
}

export function startContestant(name: string, program: string, args: readonly string[], env = process.env): Contestant {
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    name,
    async ask<Result>(request: object) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended on ${JSON.stringify(request).slice(0, 200)}`);
      return JSON.parse(value) as Result;
    },
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
};

/** Each contestant in turn, `rounds` times after one unmeasured round. */
export async function alternate<Result>(
  contestants: readonly Contestant[],
  rounds: number,
  turn: (contestant: Contestant, round: number) => Promise<Result>,
): Promise<Map<string, Result[]>> {
  const results = new Map<string, Result[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const contestant of contestants) {
      const result = await turn(contestant, round);
      if (round >= 0) results.get(contestant.name)!.push(result);
    }
  }
  return results;
}
