/** Attacks through processes: making them, outliving the run, signalling, tracing, leaving the confinement. */
import { refusals, text } from './attack.ts';
import type { Attack } from './attack.ts';

/** mov eax, 20 (32-bit getpid); int 0x80; ret: a system call by the other architecture's entry. */
const otherArchitecture = `import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex('b814000000cd80c3'))
print('ESCAPED', ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())`;

export const processAttacks: readonly Attack[] = [
  { name: 'fork', source: refusals('if os.fork() == 0: os._exit(0)') },
  {
    name: 'fork bomb',
    source: text(`import os
made = 0
for _ in range(400):
    try:
        if os.fork() == 0: os._exit(0)
        made += 1
    except OSError: pass
print('ESCAPED' if made else 'no forks', made)`),
  },
  {
    name: 'daemon by double fork',
    source: refusals(
      'if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        import time; time.sleep(5)\n    os._exit(0)',
    ),
  },
  {
    name: 'vfork, clone and clone3 by number',
    source: refusals('only_eperm(58)', 'only_eperm(56, 17, 0, 0, 0, 0)', 'call(435, 0, 0)'),
  },
  {
    name: 'run a shell',
    source: refusals(
      "os.execv('/bin/true', ['true'])",
      "import subprocess; subprocess.run(['/bin/true'])",
      "os.posix_spawn('/bin/true', ['true'], {})",
    ),
  },
  { name: 'os.system', source: text("import os\nif os.system('true') == 0: print('ESCAPED')") },
  {
    name: 'multiprocessing',
    source: text(
      "import multiprocessing\nif __name__ == '__main__':\n    multiprocessing.Process(target=print, args=('ESCAPED',)).start()",
    ),
    ends: ['runtime-error'],
  },
  {
    name: '2000 threads',
    source: text(`import threading, time
try:
    for n in range(2000): threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
    print('ESCAPED')
except RuntimeError as error: print('refused', error)`),
    ends: ['ok', 'runtime-error', 'memory-limit'],
  },
  { name: 'own session and group', source: refusals('os.setsid()', 'os.setpgid(0, 0)') },
  {
    name: 'signal the server, its group and everyone',
    source: refusals('os.kill(os.getppid(), 0)', 'os.kill(0, 0)', 'os.kill(-1, 0)', 'os.kill(1, 0)'),
  },
  {
    name: 'signal by the other calls',
    source: refusals(
      'only_eperm(129, os.getppid(), 0, 0)',
      'only_eperm(234, os.getppid(), os.getppid(), 0)',
      'only_eperm(200, os.getppid(), 0)',
      'only_eperm(297, 1, 1, 0, 0)',
    ),
  },
  {
    name: 'signal the server through file ownership',
    source: refusals(
      'fcntl.fcntl(0, 8, os.getppid())',
      'fcntl.fcntl(0, 10, 9)',
      "fcntl.fcntl(0, 15, b'\\1\\0\\0\\0\\1\\0\\0\\0')",
    ),
  },
  {
    name: 'stop itself',
    source: text('import signal\ntry:\n    signal.raise_signal(signal.SIGSTOP)\nexcept OSError: pass\nprint("runs")'),
  },
  {
    name: 'trace the server',
    source: refusals('only_eperm(101, 16, os.getppid(), 0, 0)', 'only_eperm(101, 0, 0, 0, 0)'),
  },
  {
    name: 'read and write the server’s memory',
    source: refusals('only_eperm(310, os.getppid(), 0, 0, 0, 0, 0)', 'only_eperm(311, os.getppid(), 0, 0, 0, 0, 0)'),
  },
  {
    name: 'take a handle of the server',
    source: refusals('only_eperm(434, os.getppid(), 0)', 'only_eperm(438, 0, 0, 0)', 'only_eperm(312, 1, 2, 0, 0, 0)'),
  },
  { name: 'outlive the server', source: refusals('only_eperm(157, 1, 0, 0, 0, 0)') },
  {
    name: 'become another user',
    source: refusals('os.setuid(0)', 'os.setgid(0)', 'os.setresuid(0, 0, 0)', 'os.setgroups([0])'),
  },
  {
    name: 'raise its priority',
    source: refusals('os.nice(0)', 'os.setpriority(os.PRIO_PROCESS, 0, 0)', 'os.sched_setaffinity(0, {0})'),
  },
  {
    name: 'namespaces and mounts',
    source: refusals(
      'only_eperm(272, 0)',
      'only_eperm(308, -1, 0)',
      "only_eperm(165, 0, b'/missing/place', 0, 0, 0)",
      "only_eperm(166, b'/missing/place', 0)",
      "only_eperm(161, b'/missing/place')",
      'only_eperm(430, 0, 0)',
      'only_eperm(428, -1, 0, 0)',
    ),
  },
  {
    name: 'io_uring',
    source: refusals('only_eperm(425, 0, 0)', 'only_eperm(426, -1, 0, 0, 0, 0, 0)', 'only_eperm(427, -1, 0, 0, 0)'),
  },
  {
    name: 'bpf, keys, perf, userfaultfd, modules',
    source: refusals(
      'only_eperm(321, -1, 0, 0)',
      'only_eperm(250, -1)',
      'only_eperm(298, 0, 0, 0, 0, 0)',
      'only_eperm(323, -1)',
      'only_eperm(313, -1, 0, 0)',
    ),
  },
  {
    name: 'system calls that no list knows',
    source: refusals('call(450, 0, 0, 0)', 'call(457, 0, 0, 0)', 'call(467, -1, 0, 0)', 'call(999)'),
  },
  {
    name: 'shared memory, queues, semaphores',
    source: refusals(
      'only_eperm(29, 0, 0, 0)',
      'only_eperm(64, 0, 0, 0)',
      'only_eperm(68, 0, 0)',
      'only_eperm(240, 0, 0, 0, 0)',
    ),
  },
  { name: 'system calls by 32-bit entry', source: text(otherArchitecture), ends: ['runtime-error'] },
  {
    name: 'system calls by x32 numbers',
    source: text("import ctypes\nctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))\nprint('ESCAPED')"),
    ends: ['runtime-error'],
  },
  {
    name: 'lift limits, then fork',
    source: refusals(
      'import resource; resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)); os.fork() or os._exit(0)',
    ),
  },
];
