/** The dashboard behind a port. Loopback only unless told; it asks nobody who they are. */
import { serve } from '@hono/node-server';
import type { AddressInfo } from 'node:net';
import { DomainError } from '../../shared/errors.ts';
import { dashboardApp } from './app.ts';
import type { DashboardOptions } from './app.ts';

export interface ServeOptions extends Omit<DashboardOptions, 'hosts'> {
  host: string;
  /** 0: any free one. */
  port: number;
}

export interface Dashboard {
  /** Where a browser on this machine finds it. */
  url: string;
  close(): Promise<void>;
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];
export const isLoopback = (host: string) => ['localhost', '127.0.0.1', '::1', '[::1]'].includes(host);

/** Throws `InvalidInput` where the port is taken or the host is not this machine's. */
export function serveDashboard({ host, port, ...site }: ServeOptions): Promise<Dashboard> {
  const app = dashboardApp({ ...site, hosts: isLoopback(host) ? loopbackNames : null });
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
      reject(new DomainError('InvalidInput', `the dashboard does not start: ${why}`, { host, port }, { cause }));
    });
  });
}
