/**
 * Global setup of the `integration` tests: a fresh Temporal server and a fresh store in a temporary folder on free
 * ports, stopped and removed afterwards. Tests read the addresses with `inject('stack')` or from the environment that
 * workers read. METAAGENTX_TEST_SERVERS=configured uses TEMPORAL_ADDRESS and MONGODB_URI instead of fresh servers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { stackEnvironment, type StackAddresses } from '../../cli/stack/addresses.ts';
import { ensureStack } from '../../cli/stack/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackAddresses;
    stateDir: string;
  }
}

/** The environment without configured servers, so that tests never touch somebody's data. */
export function localEnvironment(): Record<string, string | undefined> {
  const configured = /^(TEMPORAL_|MONGODB_URI$|METAAGENTX_DATABASE$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !configured.test(name)));
}

let stop = async (): Promise<void> => undefined;

export async function setup(project: TestProject): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'metaagentx-test-'));
  const configured = process.env.METAAGENTX_TEST_SERVERS === 'configured';
  const stack = await ensureStack({
    stateDir,
    log: (line) => console.error(`[servers] ${line}`),
    ports: { temporal: 0, ui: 0, mongo: 0 },
    env: configured ? process.env : localEnvironment(),
  });
  Object.assign(process.env, stackEnvironment(stack.addresses, stateDir));
  project.provide('stack', stack.addresses);
  project.provide('stateDir', stateDir);
  stop = async () => {
    await stack.stop();
    rmSync(stateDir, { recursive: true, force: true });
  };
}

export const teardown = (): Promise<void> => stop();
