/** Attacks on files: reading what is not the program's, writing where it must not, leaving things behind. */
import { refusals, text } from './attack.ts';
import type { Attack } from './attack.ts';

/** 1,050 levels: more than Python's own recursion limit, and a path of more than 4,096 bytes. */
export const deepTree =
  "import os\nfor n in range(1050):\n    os.mkdir('deep')\n    os.chdir('deep')\nopen('leaf', 'w').close()";

export const fileAttacks: readonly Attack[] = [
  {
    name: 'read /etc/passwd and /etc/shadow',
    source: refusals("open('/etc/passwd').read()", "open('/etc/shadow').read()"),
  },
  {
    name: 'read a secret of the host',
    source: (bait) => refusals(`open(${JSON.stringify(bait.secretFile)}).read()`)(),
  },
  {
    name: 'list the home of root and the root folder of others',
    source: refusals("os.listdir('/root')", "os.listdir('/home')", "os.listdir('/var')", "os.listdir('/etc')"),
  },
  {
    name: 'read own, parent’s and first process’s memory',
    source: refusals(
      "open('/proc/self/mem','rb')",
      "open(f'/proc/{os.getppid()}/mem','rb')",
      "open('/proc/1/mem','rb')",
    ),
  },
  {
    name: 'read the environments of other processes',
    source: text(`import os
for name in ['self', '1', '2', str(os.getppid())] + [str(n) for n in range(3, 400)]:
    try:
        data = open(f'/proc/{name}/environ', 'rb').read()
    except OSError:
        continue
    names = {entry.split(b'=')[0] for entry in data.split(b'\\0') if entry}
    strange = names - {b'PATH', b'LANG', b'PYTHONHASHSEED', b'PYTHONSAFEPATH', b'PYTHONDONTWRITEBYTECODE', b'OPENBLAS_NUM_THREADS', b'OMP_NUM_THREADS', b'PWD', b'LC_CTYPE'}
    if strange: print('ESCAPED:', name, strange)`),
  },
  {
    name: 'use an open file of the server',
    source: text(`import os
for fd in range(3, 2048):
    try:
        os.fstat(fd)
    except OSError:
        continue
    print('ESCAPED: fd', fd)`),
  },
  {
    name: 'write outside the scratch folder',
    source: refusals(
      ...['/', '/usr/lib', '/etc', '/tmp', '/var/tmp', '/dev', '/dev/shm', '/run', '../..'].map(
        (folder) =>
          `os.unlink(os.open('${folder}/metaagentx-probe', os.O_CREAT | os.O_EXCL | os.O_WRONLY) and '${folder}/metaagentx-probe')`,
      ),
    ),
  },
  {
    name: 'reach a secret through a link in the scratch folder',
    source: (bait) =>
      refusals(
        `os.symlink(${JSON.stringify(bait.secretFile)}, 'soft'); open('soft').read()`,
        `os.link(${JSON.stringify(bait.secretFile)}, 'hard'); open('hard').read()`,
        "os.link('/usr/bin/env', 'hard')",
      )(),
  },
  {
    name: 'change mode, owner, times and attributes of a file of the host',
    source: (bait) => {
      const file = JSON.stringify(bait.secretFile);
      return refusals(
        `os.chmod(${file}, 0o644)`,
        `os.chown(${file}, -1, -1)`,
        `os.utime(${file}, (1, 1))`,
        `os.setxattr(${file}, 'user.probe', b'1')`,
        `os.truncate(${file}, 29)`,
      )();
    },
  },
  {
    name: 'write beside the scratch folder',
    source: refusals("open('../beside', 'x').close()"),
  },
  { name: 'make device nodes and pipes', source: refusals("os.mkfifo('pipe')", "os.mknod('node')") },
  { name: 'run code from an anonymous file', source: refusals("os.memfd_create('code')") },
  {
    name: 'fill the disk: one large file',
    source: text(`data = b'x' * (1 << 20)
try:
    with open('large', 'wb') as file:
        for _ in range(3000): file.write(data)
    print('ESCAPED: 3 GB')
except OSError as error: print('refused', error.errno)`),
    ends: ['ok', 'runtime-error'],
  },
  {
    name: 'a sparse file of 10 TB',
    source: refusals("open('sparse', 'wb').truncate(10 << 40)"),
    ends: ['ok', 'runtime-error'],
  },
  {
    name: 'fill the disk: many files of 15 MB',
    source: text(`data = b'x' * (15 << 20)
try:
    for n in range(400):
        with open(f'part-{n}', 'wb') as file: file.write(data)
    print('ESCAPED: 6 GB')
except OSError as error: print('refused', error.errno)`),
    ends: ['ok', 'runtime-error'],
  },
  {
    name: '200 000 small files',
    source: text("for n in range(200_000): open(f'f{n}', 'w').close()\nprint('ESCAPED')"),
    ends: ['runtime-error', 'time-limit'],
    limits: { cpuMs: 2_000, wallMs: 4_000 },
  },
  {
    name: 'a tree of folders too deep to name',
    source: text(deepTree),
    ends: ['ok', 'runtime-error'],
  },
  {
    name: 'folders that nobody may enter',
    source: text(
      "import os\nos.mkdir('closed')\nopen('closed/file', 'w').close()\nos.mkdir('closed/inner', 0)\nos.mkdir('shut', 0)",
    ),
  },
];
