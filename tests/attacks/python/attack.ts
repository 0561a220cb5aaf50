/**
 * What an attack on the Python sandbox is. Every program here is run only inside a sandbox, and its probes have no
 * effect where they succeed: targets are missing or made for the test, signals are number 0, calls have empty arguments.
 * A program prints `ESCAPED` and what it got; anything else is containment, if the status is among those expected.
 */
import type { PythonRun, PythonStatus } from '../../../activities/runtime/python/contract.ts';
import type { Bait } from '../../../activities/runtime/python/canaries.ts';

export interface Attack {
  name: string;
  source: (bait: Bait) => string;
  /** Any of these; default `ok`. */
  ends?: readonly PythonStatus[];
  limits?: Partial<PythonRun['limits']>;
  /** Default: as a script. */
  functionName?: string;
}

/** A program that says whether each snippet was refused with an `OSError`. */
export const refusals =
  (...snippets: string[]) =>
  (): string =>
    `import ctypes, fcntl, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]) == -1:
        raise OSError(ctypes.get_errno(), 'refused')
def only_eperm(number, *arguments):
    try:
        call(number, *arguments)
    except OSError as error:
        if error.errno != 1: print('ESCAPED: call', number, 'was answered', error.errno)
        raise
${snippets
  .map(
    (snippet) => `try:
${snippet.replace(/^/gm, '    ')}
except OSError as error:
    print('refused', error.errno)
else:
    print('ESCAPED:', ${JSON.stringify(snippet)})
`,
  )
  .join('')}`;

/** A fixed program text. */
export const text = (source: string) => (): string => source;
