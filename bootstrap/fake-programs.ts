/**
 * Fakes for the provisioning tests: a PATH folder in which shell scripts stand for temporal, mongod, python and go.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeMachine {
  root: string;
  cacheDir: string;
  stateDir: string;
  said: string[];
  /** Puts a script on the PATH and returns its path. */
  add(name: string, script: string): string;
  /** A provisioning setting on this machine, where no download site answers. */
  setting(env?: Record<string, string>): {
    env: Record<string, string>;
    cacheDir: string;
    stateDir: string;
    say: (text: string) => void;
    probe: () => Promise<string>;
  };
}

export function fakeMachine(): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const said: string[] = [];
  const cacheDir = join(root, 'cache');
  const stateDir = join(root, 'state');
  mkdirSync(stateDir);
  return {
    root,
    cacheDir,
    stateDir,
    said,
    add(name, script) {
      const path = join(bin, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return path;
    },
    setting: (env = {}) => ({
      env: { PATH: bin, HOME: root, METAAGENTX_PYTHON: join(bin, 'python3'), ...env },
      cacheDir,
      stateDir,
      say: (text) => said.push(text),
      probe: async () => 'no network in this test',
    }),
  };
}

/** A python that answers the bootstrap's question and whose `pip install --target T` runs `install` with `$target`. */
export const fakePython = (path: string, install: string, version = '3.12.1'): string => `
if [ "$1" = "-c" ]; then
  echo '{"path":"${path}","version":"${version}","major":3,"minor":${version.split('.')[1]},"implementation":"CPython","pip":true,"venv":true}'
  exit 0
fi
while [ $# -gt 1 ]; do [ "$1" = "--target" ] && target="$2"; shift; done
${install}`;
