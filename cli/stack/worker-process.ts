/** How a worker process is started: program, arguments and environment. Starts nothing. */
import { join } from 'node:path';
import { cloneRoot } from '../../bootstrap/paths.mjs';
import { stackEnvironment, type StackAddresses } from './addresses.ts';

export type WorkerQueue = 'control' | 'gpu' | 'sandbox';
export const workerQueues: readonly WorkerQueue[] = ['control', 'gpu', 'sandbox'];
/** One queue, or all of them in one process. */
export type WorkerRole = WorkerQueue | 'all';

/** glibc (2.35 and later) asks the kernel for huge pages: weights are read through fewer page table entries (docs/log.md). */
const hugePages = 'glibc.malloc.hugetlb=1';

export const workerCommand = (role: WorkerRole): { program: string; args: string[] } => ({
  program: process.execPath,
  args: ['--enable-source-maps', '--import', 'tsx', join(cloneRoot, 'workers', 'main.ts'), role],
});

/** `given` is the environment to start from; what it says of the allocator stands. */
export function workerEnvironment(
  role: WorkerRole,
  { addresses, stateDir }: { addresses: StackAddresses; stateDir: string },
  given: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const computes = role === 'gpu' || role === 'all';
  return {
    ...(computes && process.platform === 'linux' ? { GLIBC_TUNABLES: hugePages } : {}),
    ...given,
    ...stackEnvironment(addresses, stateDir),
  };
}
