/** Attacks on time, memory and output: programs that never end, never stop growing, or fall in a hard way. */
import { text } from './attack.ts';
import type { Attack } from './attack.ts';

const short = { cpuMs: 250, wallMs: 1_500 };

export const resourceAttacks: readonly Attack[] = [
  { name: 'endless loop', source: text('while True: pass'), ends: ['time-limit'], limits: short },
  {
    name: 'endless loop that ignores every signal',
    source: text(
      'import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass',
    ),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'sleep',
    source: text('import time\nwhile True: time.sleep(60)'),
    ends: ['time-limit'],
    limits: { wallMs: 300 },
  },
  {
    name: 'read from nowhere',
    source: text('import os\nr, w = os.pipe()\nos.read(r, 1)'),
    ends: ['time-limit'],
    limits: { wallMs: 300 },
  },
  {
    name: 'regular expression that backtracks',
    source: text("import re\nre.match('(a+)+$', 'a' * 40 + 'b')"),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'text of a huge integer',
    source: text(
      'import sys\nsys.set_int_max_str_digits(0) if hasattr(sys, "set_int_max_str_digits") else 0\nstr(7 ** 5_000_000)',
    ),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'power without end',
    source: text('x = 7\nwhile True: x = x ** 7'),
    ends: ['time-limit', 'memory-limit'],
    limits: short,
  },
  {
    name: 'busy threads',
    source: text(
      'import threading\ndef spin():\n    while True: pass\nfor _ in range(8): threading.Thread(target=spin).start()',
    ),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'thread that never ends after the program',
    source: text('import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()'),
    ends: ['time-limit'],
    limits: { wallMs: 300 },
  },
  {
    name: 'exit function that never ends',
    source: text('import atexit\ndef spin():\n    while True: pass\natexit.register(spin)'),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'exception that never shows',
    source: text('class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E()'),
    ends: ['time-limit'],
    limits: short,
  },
  { name: '10 GiB at once', source: text("x = bytearray(10 << 30)\nprint('ESCAPED')"), ends: ['memory-limit'] },
  {
    name: 'memory that grows',
    source: text('x = []\nwhile True: x.append(bytearray(1 << 20))'),
    ends: ['memory-limit'],
    limits: { memoryMb: 128 },
  },
  {
    name: 'memory that grows, MemoryError caught',
    source: text('x = []\nwhile True:\n    try: x.append(bytearray(8 << 20))\n    except MemoryError: pass'),
    ends: ['memory-limit', 'time-limit'],
    limits: { ...short, memoryMb: 128 },
  },
  {
    name: 'mapped memory',
    source: text("import mmap\nx = mmap.mmap(-1, 8 << 30)\nprint('ESCAPED')"),
    ends: ['runtime-error', 'memory-limit'],
  },
  { name: 'endless standard output', source: text("while True: print('x' * 10_000)"), ends: ['output-limit'] },
  {
    name: 'endless standard error',
    source: text("import sys\nwhile True: print('x' * 10_000, file=sys.stderr)"),
    ends: ['output-limit'],
  },
  {
    name: '10 GiB in one write',
    source: text("import os\ndata = b'x' * (64 << 20)\nfor _ in range(160): os.write(1, data)\nprint('ESCAPED')"),
    ends: ['output-limit'],
  },
  {
    name: 'streams closed, then a loop',
    source: text('import os\nfor fd in range(3): os.close(fd)\nwhile True: pass'),
    ends: ['time-limit'],
    limits: short,
  },
  {
    name: 'recursion',
    source: text('import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nf()'),
    ends: ['runtime-error', 'memory-limit', 'time-limit'],
  },
  {
    name: 'recursion in C until the stack ends',
    source: text("x = ()\nfor _ in range(2_000_000): x = (x,)\nhash(x)\nprint('ESCAPED')"),
    ends: ['runtime-error'],
    limits: { memoryMb: 1024, cpuMs: 12_000, wallMs: 24_000 },
  },
  { name: 'crash', source: text('import ctypes\nctypes.string_at(0)'), ends: ['runtime-error'] },
  {
    name: 'text nested too deep to compile',
    source: text(`x = ${'('.repeat(5_000)}${')'.repeat(5_000)}`),
    ends: ['compile-error'],
  },
  {
    name: 'text that takes long to compile',
    source: text(`x = ${Array.from({ length: 3_000 }, (_, n) => `[${n}`).join(',')}${']'.repeat(3_000)}`),
    ends: ['compile-error'],
  },
  { name: 'text with a null byte', source: text('print(1)\0'), ends: ['compile-error'] },
  { name: 'expression that doubles itself', source: text("x = 'a'\nexec('x += x;' * 40)"), ends: ['memory-limit'] },
];
