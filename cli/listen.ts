/** A small HTTP application behind a port of this machine. */
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import type { AddressInfo } from 'node:net';
import { DomainError } from '../shared/errors.ts';

export interface Listening {
  /** Where a browser on this machine finds it. */
  url: string;
  close(): Promise<void>;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];
export const isLoopback = (host: string) => ['localhost', '127.0.0.1', '::1', '[::1]'].includes(host);

/** Names that a browser may call a server at `host` by; null: any. Keeps other sites' names from being pointed here. */
export const namesOf = (host: string): readonly string[] | null => (isLoopback(host) ? loopbackNames : null);

/** The name in a `Host` header, without its port. */
export const hostNameOf = (header: string): string => header.replace(/:\d+$/, '').toLowerCase();

/** Port 0: any free one. Throws `InvalidInput` where the port is taken or the host is not this machine's. */
export function listen(app: Hono, what: string, { host, port }: { host: string; port: number }): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, ({ port: bound }: AddressInfo) => {
      const shown = host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
      resolve({
        url: `http://${shown}:${bound}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      });
    });
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? `port ${port} is taken; choose another with --port, or 0 for any`
          : `it cannot listen at ${host}: ${cause.message}`;
      reject(new DomainError('InvalidInput', `${what} does not start: ${why}`, { host, port }, { cause }));
    });
  });
}
