/** The dashboard behind a port. Loopback only unless told; it asks nobody who they are. */
import { listen, namesOf } from '../listen.ts';
import type { Listening } from '../listen.ts';
import { dashboardApp } from './app.ts';
import type { DashboardOptions } from './app.ts';

export { isLoopback } from '../listen.ts';
export type { Listening as Dashboard } from '../listen.ts';

export interface ServeOptions extends Omit<DashboardOptions, 'hosts'> {
  host: string;
  /** 0: any free one. */
  port: number;
}

/** Throws `InvalidInput` where the port is taken or the host is not this machine's. */
export const serveDashboard = ({ host, port, ...site }: ServeOptions): Promise<Listening> =>
  listen(dashboardApp({ ...site, hosts: namesOf(host) }), 'the dashboard', { host, port });
