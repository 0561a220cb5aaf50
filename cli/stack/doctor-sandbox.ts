/** The row about the sandbox of Python programs: which tier holds here, proven by its canaries, and why not a stronger one. */
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import type { PythonSandboxOptions } from '../../activities/runtime/python/contract.ts';
import { isDomainError } from '../../shared/errors.ts';
import type { DoctorRow } from './doctor.ts';

const name = 'python sandbox';
const who = 'needed for code questions and for the python tool only';

/** Runs the canaries in a sandbox that is closed again. A missing tier is no fault; a tier that leaks is. */
export async function checkPythonSandbox(options: PythonSandboxOptions): Promise<DoctorRow> {
  try {
    const sandbox = await openPythonSandbox({ ...options, workers: 1 });
    await sandbox.close();
    return { name, ok: true, detail: sandbox.reason, fix: '' };
  } catch (error) {
    if (!isDomainError(error, 'SandboxUnavailable')) throw error;
    const leaks = error.data['canary'] !== undefined;
    const fix = leaks ? 'see docs/sandbox.md, "When a tier is refused"' : '';
    return { name, ok: !leaks, detail: leaks ? error.message : `none (${who}): ${error.message}`, fix };
  }
}
