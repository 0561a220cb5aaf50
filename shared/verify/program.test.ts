import { expect, it } from 'vitest';
import { extractProgram, programsEqual } from './program.ts';

it.each([
  ['no fence', 'print(1)', null],
  ['one block', 'So:\n```python\nprint(1)\n```\nDone.', 'print(1)\n'],
  ['the last of two', '```python\nprint(1)\n```\nBetter:\n```python3\nprint(2)\n```', 'print(2)\n'],
  ['another language is not the program', '```python\nprint(1)\n```\nIt prints\n```text\n1\n```', 'print(1)\n'],
  ['text between two foreign blocks is no program', '```cpp\na\n```\nx\n```java\nb\n```', null],
  ['an unclosed block is no program', '```python\nprint(1)\n```\n```python\nprint(2)', 'print(1)\n'],
  ['longer fences hold shorter ones', '````py\ns = """\n```\n"""\n````', 's = """\n```\n"""\n'],
  ['carriage returns', '```\r\nprint(1)\r\n```\r\n', 'print(1)\n'],
])('%s', (_, reply, program) => {
  expect(extractProgram(reply)).toBe(program);
});

it('takes programs for equal that differ in comments and blank lines only', () => {
  expect(programsEqual('# one\nx = 1  \n\nprint(x)\n', 'x = 1\nprint(x)  # no\n')).toBe(false);
  expect(programsEqual('# one\nx = 1  \n\nprint(x)\n', 'x = 1\n  # two\nprint(x)')).toBe(true);
  expect(programsEqual('if a:\n  b', 'if a:\n b')).toBe(false);
});
