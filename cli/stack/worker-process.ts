/** How a worker process is started: program, arguments and environment. Starts nothing. */
import { join } from 'node:path';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { stackEnvironment, type StackAddresses } from './addresses.ts';

export type WorkerQueue = 'control' | 'gpu' | 'sandbox';
export const workerQueues: readonly WorkerQueue[] = ['control', 'gpu', 'sandbox'];
/** One queue, or all of them in one process. */
export type WorkerRole = WorkerQueue | 'all';

/**
 * For a process that computes, unless `given` says something of the allocator: glibc (2.35 and later) asks the kernel for huge
 * pages, so that weights are read through fewer page table entries (docs/log.md).
 */
export const withHugePages = (given: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  process.platform === 'linux' ? { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...given } : given;

export const workerCommand = (role: WorkerRole): { program: string; args: string[] } => ({
  program: process.execPath,
  args: ['--enable-source-maps', '--import', 'tsx', join(cloneRoot, 'workers', 'main.ts'), role],
});

export function workerEnvironment(
  role: WorkerRole,
  { addresses, stateDir }: { addresses: StackAddresses; stateDir: string },
  given: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const computes = role === 'gpu' || role === 'all';
  return { ...(computes ? withHugePages(given) : given), ...stackEnvironment(addresses, stateDir) };
}
