/**
 * Named places at which a process can be made to die, so that recovery can be tested where it matters: between two writes
 * that belong together. Without METAAGENTX_CRASH_POINTS nothing happens. With it, the variable names a folder, and a file
 * there with a point's name kills the first process that passes the point; the file is gone afterwards.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';

export const crashPoints = [
  /** A blob's chunks are stored, the file that names them is not. */
  'blob-half-written',
  /** All blobs of a version are stored, its record is not. */
  'blobs-stored',
  /** A version's record is stored, the activity has not replied and its claims stand. */
  'version-committed',
  /** A version says that its blob is pruned, and the blob is still there. */
  'blob-condemned',
  /** A call is in the journal, and its script has not seen the answer. */
  'call-journaled',
  'designs-stored',
  'execution-stored',
  'verdicts-stored',
  'credits-stored',
  'iteration-recorded',
  'evaluation-recorded',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

const forever = new Int32Array(new SharedArrayBuffer(4));

export function crashPoint(name: CrashPoint): void {
  const folder = process.env.METAAGENTX_CRASH_POINTS;
  if (folder === undefined || folder === '') return;
  try {
    renameSync(join(folder, name), join(folder, `${name}.taken-by-${process.pid}`));
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment; not one more statement of this thread may run.
  Atomics.wait(forever, 0, 0);
}
