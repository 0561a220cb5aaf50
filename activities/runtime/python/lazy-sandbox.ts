/** A sandbox that is opened when the first program comes, and again after it could not be: most runs need none. */
import type { PythonSandbox, PythonSandboxOptions } from './contract.ts';
import { openPythonSandbox } from './open-sandbox.ts';

export interface LazySandbox {
  /** Throws `SandboxUnavailable`, with what to install, where no tier can be had. */
  open: () => Promise<PythonSandbox>;
  close: () => Promise<void>;
}

export function lazySandbox(options: PythonSandboxOptions): LazySandbox {
  let opened: Promise<PythonSandbox> | undefined;
  return {
    open() {
      if (opened === undefined) {
        const opening = openPythonSandbox(options);
        opened = opening;
        opening.catch(() => {
          if (opened === opening) opened = undefined;
        });
      }
      return opened;
    },
    async close() {
      const sandbox = await opened?.catch(() => undefined);
      await sandbox?.close();
    },
  };
}
