/** Attacks on the verdict: pretending to be the server, finding the expected output, returning what equals anything. */
import { text } from './attack.ts';
import type { Attack } from './attack.ts';

/** The judge expects this text; no program may find or produce it. */
export const expectedMark = ['expected', 'mark', 'b41d'].join('-');

const frame = `import json, os, struct
header = json.dumps({'status': 'ok', 'error': None, 'cpuMs': 1, 'wallMs': 1, 'parts': [3, 0, 0]}).encode()
data = struct.pack('>II', len(header), 3) + header + b'42\\n'`;

/** Every program must be judged as not accepted. Those with a function name are `call` programs. */
export const forgeries: readonly Attack[] = [
  {
    name: 'frames on every file',
    source: text(`${frame}\nfor fd in range(1024):\n    try: os.write(fd, data)\n    except OSError: pass`),
  },
  { name: 'frames, then a clean end', source: text(`${frame}\nos.write(1, data)\nos._exit(0)`) },
  { name: 'a verdict in words', source: text("print('accepted'); print({'status': 'ok', 'correct': True})") },
  {
    name: 'search of all objects, frames and modules for the expected output',
    source: text(`import gc, sys
mark = 'expected' + '-mark'
def texts():
    for thing in gc.get_objects():
        for part in (gc.get_referents(thing)):
            if isinstance(part, (str, bytes, bytearray)): yield part
    frame = sys._getframe()
    while frame:
        yield from (value for value in frame.f_locals.values() if isinstance(value, (str, bytes)))
        frame = frame.f_back
for part in texts():
    whole = part if isinstance(part, str) else part.decode('utf-8', 'ignore')
    if mark in whole and whole != mark: print(whole)`),
  },
  { name: 'search of own memory for the expected output', source: text("print(open('/proc/self/mem', 'rb').read(1))") },
  {
    name: 'the server’s modules',
    source: text(
      "import sys\nfor name in ('server', 'program', 'confine', 'frames'):\n    print(name in sys.modules)\nimport server",
    ),
  },
  {
    name: 'a value that equals everything',
    functionName: 'f',
    source: text(
      "class Yes(str):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef f(x): return Yes('no')",
    ),
  },
  {
    name: 'a number that is any number',
    functionName: 'f',
    source: text(
      'class Any(int):\n    def __eq__(self, other): return True\n    def __repr__(self): return "\\"anything\\""\ndef f(x): return Any(1)',
    ),
  },
  {
    name: 'its own JSON writer',
    functionName: 'f',
    source: text("import json\njson.dumps = lambda *a, **k: '[]'\ndef f(x): return 'x'"),
  },
  {
    name: 'values on every file, then an end',
    functionName: 'f',
    source: text(
      'import os\ndef f(x):\n    for fd in range(64):\n        try: os.write(fd, b\'P"x"\')\n        except OSError: pass\n    os._exit(0)',
    ),
  },
  { name: 'an end before the call', functionName: 'f', source: text('import sys\ndef f(x): return x\nsys.exit(0)') },
  {
    name: 'the tests’ function from the caller’s frame',
    functionName: 'f',
    source: text(
      "import sys\ndef f(x):\n    found = []\n    frame = sys._getframe()\n    while frame:\n        found += [str(v) for v in list(frame.f_locals.values()) + list(frame.f_globals.values())]\n        frame = frame.f_back\n    return next((v for v in found if 'expected-' + 'mark' in v), 'nothing')",
    ),
  },
];
