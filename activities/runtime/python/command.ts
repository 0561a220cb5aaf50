/**
 * How a fork server is started at each tier: the command, its clean environment, and what it may read. Knows nothing of
 * programs. Based on bubblewrap's manual and Landlock's ABI notes; docs/sandbox.md has the reasons.
 */
import { accessSync, constants, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { PythonTier } from './contract.ts';

/** What a tier consists of. Tests weaken one to see that the canaries notice. */
export interface Tier {
  name: PythonTier;
  bubblewrap: boolean;
  landlock: boolean;
  seccomp: boolean;
}

export const tiers: Readonly<Record<PythonTier, Tier>> = {
  A: { name: 'A', bubblewrap: true, landlock: true, seccomp: true },
  B: { name: 'B', bubblewrap: true, landlock: false, seccomp: true },
  C: { name: 'C', bubblewrap: false, landlock: true, seccomp: true },
};

/** Programs found on this machine. `prefixes` are the folders of the interpreter's library. */
export interface Installation {
  python: string;
  bubblewrap: string | null;
  prefixes: readonly string[];
}

/** Everything a fork server sees of its surroundings. Never the worker's own environment: it may hold secrets. */
export const cleanEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  PYTHONHASHSEED: '0',
  PYTHONSAFEPATH: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  OPENBLAS_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
};

/** Absolute path of an executable, or null. A name with a slash is taken as it is. */
export function findProgram(name: string): string | null {
  const places = name.includes('/') ? [''] : (process.env['PATH'] ?? '/usr/bin:/bin').split(delimiter);
  for (const place of places) {
    const path = place === '' ? name : join(place, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}

/** Reads the first module frame and starts the server: the sources need be readable by nobody but the worker. */
const boot = `
import json, os, struct, sys, types
def exactly(count):
    pieces = []
    while count:
        piece = os.read(0, min(count, 1 << 20))
        if not piece: raise SystemExit('no sources came')
        pieces.append(piece); count -= len(piece)
    return b''.join(pieces)
sys.path[:] = [place for place in sys.path if place]
lengths = struct.unpack('>II', exactly(8))
header = json.loads(exactly(lengths[0]))
for name, length in zip(header['modules'], header['parts']):
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(exactly(length), name + '.py', 'exec'), module.__dict__)
sys.modules['server'].Server(header['settings']).serve()
`;

/** The server's own modules, in the order in which they need each other. */
export function serverModules(): { name: string; text: Buffer }[] {
  const folder = new URL('./zygote/', import.meta.url);
  const order = ['forks', 'syscalls', 'confine', 'frames', 'scratch', 'program', 'server'];
  return order.map((name) => ({ name, text: readFileSync(new URL(`${name}.py`, folder)) }));
}

/** Links of a merged /usr as links, real folders as read-only mounts. */
function rootEntries(): string[] {
  return ['bin', 'lib', 'lib32', 'lib64'].flatMap((name) => {
    try {
      const entry = lstatSync(`/${name}`);
      if (entry.isSymbolicLink()) return ['--symlink', readlinkSync(`/${name}`), `/${name}`];
      return entry.isDirectory() ? ['--ro-bind', `/${name}`, `/${name}`] : [];
    } catch {
      return [];
    }
  });
}

const scratchBytes = 96 << 20;

/** Command of a fork server. With bubblewrap its scratch folder is `/scratch`, a file system of its own in memory. */
export function serverCommand(tier: Tier, installation: Installation): { command: string; argv: string[] } {
  const python = [installation.python, '-s', '-B', '-c', boot];
  if (!tier.bubblewrap) return { command: python[0]!, argv: python.slice(1) };
  const outside = installation.prefixes.filter((prefix) => !prefix.startsWith('/usr/') && prefix !== '/usr');
  const argv = [
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'],
    // Otherwise process 1 would be bubblewrap, whose memory a program of the same user could open (tier B).
    '--as-pid-1',
    ...['--cap-drop', 'ALL', '--ro-bind', '/usr', '/usr'],
    ...rootEntries(),
    ...outside.flatMap((prefix) => ['--ro-bind', prefix, prefix]),
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev'],
    ...['--size', String(scratchBytes), '--perms', '0700', '--tmpfs', '/scratch', '--chdir', '/scratch'],
    ...['--remount-ro', '/', '--'],
    ...python,
  ];
  return { command: installation.bubblewrap!, argv };
}

/** What a program may read besides its scratch folder (Landlock; bubblewrap shows hardly more). */
export function readablePaths(installation: Installation): string[] {
  const libraries = [
    '/usr/lib',
    '/usr/lib32',
    '/usr/lib64',
    '/lib',
    '/lib64',
    '/usr/share/zoneinfo',
    '/etc/ld.so.cache',
  ];
  return [...new Set([...libraries, '/dev/urandom', '/dev/zero', ...installation.prefixes])];
}

/** Folder of an interpreter that is not the system's own, e.g. `/opt/python` for `/opt/python/bin/python3`. */
export function interpreterPrefixes(python: string): string[] {
  const prefix = join(realpathSync(python), '..', '..');
  return prefix === '/usr' ? [] : [prefix];
}
