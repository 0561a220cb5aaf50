/**
 * Chooses TCP ports on the loopback address: a wanted one when it is free, else any free one. Knows nothing about who
 * listens. The choice can be lost to another process before it is used; the supervisor then reports the failed start.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

export const loopback = '127.0.0.1';
/**
 * Below what systems hand out to outgoing connections and to whoever wants any port, as Temporal does for its own parts: such
 * a port is nobody else's by chance before its server listens, or while it is down.
 */
const [lowest, highest] = [20_000, 32_767];

/** True when nobody listens on this loopback port and we may. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

async function anyFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest + 1);
    if (await isFree(port)) return port;
  }
}

/** `wanted` when it is free and not `taken` already by this choice, else another free port. `0` always means any. */
export async function choosePort(wanted: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  if (wanted !== 0 && !taken.has(wanted) && (await isFree(wanted))) return wanted;
  for (;;) {
    const port = await anyFreePort();
    if (!taken.has(port)) return port;
  }
}
