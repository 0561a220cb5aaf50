/**
 * Chooses TCP ports on the loopback address: a wanted one when it is free, else any free one. Knows nothing about who
 * listens. The choice can be lost to another process before it is used; the supervisor then reports the failed start.
 */
import { createServer } from 'node:net';

export const loopback = '127.0.0.1';

/** True when nobody listens on this loopback port and we may. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: loopback, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port that the operating system says is free now. */
export function anyFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port: 0, host: loopback, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** `wanted` when it is free and not `taken` already by this choice, else another free port. `0` always means any. */
export async function choosePort(wanted: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  if (wanted !== 0 && !taken.has(wanted) && (await isFree(wanted))) return wanted;
  for (;;) {
    const port = await anyFreePort();
    if (!taken.has(port)) return port;
  }
}
