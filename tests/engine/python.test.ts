/** Python programs at every tier: verdicts, styles, limits, the tool, replacement of servers. Numbers by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultTestLimits } from '../../activities/runtime/python/contract.ts';
import type { PythonRun, PythonSandbox } from '../../activities/runtime/python/contract.ts';
import { judgeCode } from '../../activities/runtime/python/judge-code.ts';
import { openPythonSandbox } from '../../activities/runtime/python/open-sandbox.ts';
import { runPythonTool } from '../../activities/runtime/python/tool.ts';
import type { CodeVerifier } from '../../shared/domain/question.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { checkerRunner } from '../../activities/runtime/script/checker.ts';
import { atTiers, missingTiers } from '../attacks/python/at-tiers.ts';

const scripts = createScriptPool({ threads: 1 });
afterAll(() => scripts.close());

const question = (changes: Partial<CodeVerifier>): CodeVerifier => ({
  type: 'code',
  style: 'stdio',
  functionName: null,
  starterCode: null,
  tests: [
    { input: '3 4\n', expected: '7\n' },
    { input: '10 -4\n', expected: '6\n' },
  ],
  compare: 'whitespace',
  timeLimitMs: 1_000,
  memoryLimitMb: 256,
  ...changes,
});
const sum = 'print(sum(map(int, input().split())))';
const script = (source: string, input = ''): PythonRun => ({
  source,
  style: 'stdio',
  functionName: null,
  starterCode: null,
  tests: [{ input }],
  limits: { ...defaultTestLimits, cpuMs: 1_000, wallMs: 3_000, memoryMb: 256 },
});

describe('verdicts', () => {
  atTiers(['A', 'B', 'C'], { workers: 2 }, (sandbox, tier) => {
    it.each([
      ['accepted', sum, null],
      ['wrong-answer', 'print(7)', null],
      ['compile-error', 'print(', /^SyntaxError: .*\(line 1\)$/],
      ['runtime-error', 'def f():\n    raise ValueError("no")\nf()', /^ValueError: no$/],
      ['runtime-error', 'import sys\nsys.exit(3)', /^exit status 3$/],
      ['time-limit', 'while True: pass', /^more than 1000 ms of CPU time$/],
      ['memory-limit', 'x = bytearray(300 << 20)\nprint(7)', /256 MiB|MemoryError/],
      ['output-limit', 'print("x" * (9 << 20))', /bytes of standard output$/],
    ] as const)('%s', async (status, source, error) => {
      const verdict = await judgeCode(question({}), source, sandbox());
      expect(verdict).toMatchObject({ status, tier, total: 2, correct: status === 'accepted' });
      if (error === null) expect(verdict.error).toBeNull();
      else expect(verdict.error).toMatch(error);
    });

    it('counts what passed, and stops at the first failure when asked', async () => {
      const tests = ['1', '2', '3', '4'].map((n) => ({ input: n, expected: n }));
      const source = 'n = int(input())\nprint(0 if n == 2 else n)';
      const all = await judgeCode(question({ tests }), source, sandbox());
      expect(all).toMatchObject({ passed: 3, total: 4, ratio: 0.75, status: 'wrong-answer', stopped: null });
      const first = await judgeCode(question({ tests }), source, sandbox(), undefined, { stopAtFirstFailure: true });
      expect(first).toMatchObject({ passed: 1, ratio: 0.25, stopped: 'first-failure' });
      expect(first.tests.map((test) => test.status)).toEqual(['accepted', 'wrong-answer']);
    });

    it('ends a program that has used up the time for all its tests', async () => {
      const tests = Array.from({ length: 20 }, () => ({ input: '', expected: 'x' }));
      // Each takes a quarter of a second and what it costs to begin, for which three of them leave 200 ms.
      const source = 'import time\nend = time.process_time() + 0.25\nwhile time.process_time() < end: pass\nprint("x")';
      const options = { programLimits: { cpuMs: 950, wallMs: 60_000 } };
      const verdict = await judgeCode(question({ tests }), source, sandbox(), undefined, options);
      expect(verdict).toMatchObject({ correct: false, status: 'time-limit' });
      expect(verdict.passed).toBe(3);
    });

    it('judges by the checker of the question, which may itself go wrong', async () => {
      const runChecker = checkerRunner(scripts);
      const judged = async (checker: string, source: string) => {
        const verifier = question({ compare: 'checker', checker, tests: [{ input: '9', expected: '3' }] });
        return judgeCode(verifier, source, sandbox(), undefined, { runChecker });
      };
      const root = '(input, expected, output) => Number(output) ** 2 === Number(input)';
      expect(await judged(root, 'print(-3)')).toMatchObject({ correct: true, status: 'accepted', error: null });
      expect(await judged(root, 'print(4)')).toMatchObject({ correct: false, status: 'wrong-answer', error: null });
      const throwing = await judged('function (i, e, o) { return BigInt(o) === 3n }', 'print("x")');
      expect(throwing).toMatchObject({ status: 'wrong-answer', error: expect.stringMatching(/^the checker gave no/) });
      const endless = await judged('() => { for (;;); }', 'print(3)');
      expect(endless).toMatchObject({ status: 'wrong-answer', error: expect.stringMatching(/ms of work|ticks/) });
      const vague = await judged('() => 1', 'print(3)');
      expect(vague.error).toMatch(/true or false; got number/);
      await expect(judged('1 + 1', 'print(3)')).rejects.toMatchObject({ name: 'InvalidInput' });
    });

    it.each([
      [
        'method, arguments in lines',
        'class Solution:\n    def add(self, a: List[int], b: int) -> int:\n        return sum(a) + b',
        '[1, 2]\n3',
        '6',
      ],
      ['function, arguments in lines', 'def add(a, b): return a + b', '"x"\n"y"', '"xy"'],
      ['function, arguments in an array', 'def add(a, b): return a + b', '[1, 2]', '3'],
      ['one list argument', 'def add(a): return sum(a)', '[1, 2, 3]', '6'],
      ['several arguments in an array', 'def add(a, b): return sum(a) * b', '[[1, 2, 3], 2]', '12'],
      ['no argument', 'def add(): return None', '', 'null'],
      [
        'tuples, sets, nested',
        'def add(a): return ({"k": {3, 1}}, (a, 0.5))',
        '10000000000000000000001',
        '[{"k": [1, 3]}, [10000000000000000000001, 0.5]]',
      ],
      ['prints do not count', 'def add(a):\n    print("noise")\n    return a', '[]', '[]'],
      ['main block is not run', 'def add(a): return a\nif __name__ == "__main__": raise SystemExit(1)', '1', '1'],
    ])('call: %s', async (_, source, input, expected) => {
      const starterCode = 'class Solution:\n    def add(self, a):\n        ';
      const verifier = question({ style: 'call', starterCode, compare: 'exact', tests: [{ input, expected }] });
      expect(await judgeCode(verifier, source, sandbox())).toMatchObject({ correct: true, status: 'accepted' });
    });

    it('takes the form of the arguments from the question where a text could mean both', async () => {
      const tests = [{ input: '[[1, 2, 3]]', expected: '6' }];
      const judged = (argumentsForm: 'array' | 'lines') =>
        judgeCode(
          question({ style: 'call', functionName: 'add', compare: 'exact', argumentsForm, tests }),
          'def add(a): return sum(a)',
          sandbox(),
        );
      expect((await judged('array')).status).toBe('accepted');
      expect(await judged('lines')).toMatchObject({
        status: 'runtime-error',
        error: expect.stringMatching(/TypeError/),
      });
    });

    it('says which function is missing, and what has no JSON form', async () => {
      const verifier = question({ style: 'call', functionName: 'add', tests: [{ input: '1', expected: '1' }] });
      expect((await judgeCode(verifier, 'x = 1', sandbox())).error).toMatch(/neither Solution.add nor add/);
      expect((await judgeCode(verifier, 'def add(a): return object()', sandbox())).error).toMatch(
        /object, which has no JSON/,
      );
    });

    it('gives a program large inputs, deep recursion, threads with large stacks, and the same random numbers', async () => {
      const large = await sandbox().run(script('import sys\nprint(len(sys.stdin.read()))', 'x'.repeat(5_000_000)));
      expect(large.tests[0]).toMatchObject({ status: 'ok', stdout: '5000000\n' });
      const deep = `import resource, sys, threading
resource.setrlimit(resource.RLIMIT_STACK, (1 << 29, -1))
sys.setrecursionlimit(10 ** 6)
threading.stack_size(512 << 20)
def f(n): return n and 1 + f(n - 1)
thread = threading.Thread(target=lambda: print(f(50_000)))
thread.start()
thread.join()`;
      expect((await sandbox().run(script(deep))).tests[0]).toMatchObject({ status: 'ok', stdout: '50000\n' });
      const random = 'import random\nprint(random.random(), hash("text"), list({"a", "b", "c"}))';
      const [one, two] = await Promise.all([sandbox().run(script(random)), sandbox().run(script(random))]);
      expect(one.tests[0]!.stdout).toBe(two.tests[0]!.stdout);
    });

    it('runs snippets for agents', async () => {
      expect(await runPythonTool(sandbox(), 'x = 6\nx * 7')).toEqual({ status: 'ok', stdout: '42\n', error: null });
      expect(await runPythonTool(sandbox(), 'print("a")\n1/0')).toMatchObject({
        status: 'runtime-error',
        stdout: 'a\n',
        error: 'ZeroDivisionError: division by zero',
      });
      const long = await runPythonTool(sandbox(), 'print("x" * 20_000, "end")', { textChars: 200 });
      expect(long.stdout).toMatch(/^x{100}\n… \d+ characters left out …\nx+ end\n$/);
      expect(await runPythonTool(sandbox(), 'while True: pass', { cpuMs: 200 })).toMatchObject({
        status: 'time-limit',
      });
      expect((await runPythonTool(sandbox(), 'f(')).error).toMatch(/^SyntaxError/);
    });
  });
});

const tier = (['A', 'C'] as const).find((name) => missingTiers.get(name) === null);
describe.skipIf(tier === undefined)('the sandbox as a service', () => {
  let sandbox: PythonSandbox;
  beforeAll(async () => {
    sandbox = await openPythonSandbox({ tiers: [tier!], workers: 1, testsPerServer: 3 });
  });
  afterAll(() => sandbox.close());

  it('replaces its server after a number of tests without losing one', async () => {
    const tests = Array.from({ length: 10 }, (_, n) => ({ input: String(n) }));
    const result = await sandbox.run({ ...script('print(int(input()) + 1)'), tests });
    expect(result.tests.map((test) => test.stdout)).toEqual(tests.map((_, n) => `${n + 1}\n`));
  });

  it('ends a program when it is aborted, and serves the next', async () => {
    const controller = new AbortController();
    const run = sandbox.run(
      { ...script('import time; time.sleep(30)'), limits: { ...defaultTestLimits, wallMs: 40_000 } },
      controller.signal,
    );
    const waiting = sandbox.run(script(sum, '1 2'));
    const left = new AbortController();
    const never = sandbox.run(script(sum, '1 2'), left.signal);
    left.abort(new Error('left'));
    await expect(never).rejects.toThrow('left');
    setTimeout(() => controller.abort(new Error('enough')), 200);
    await expect(run).rejects.toThrow('enough');
    expect((await waiting).tests[0]!.stdout).toBe('3\n');
  });

  it('runs nothing that was aborted while its interpreter started', async () => {
    const sleeping = { ...script('import time; time.sleep(30)'), limits: { ...defaultTestLimits, wallMs: 40_000 } };
    const first = new AbortController();
    const run = sandbox.run(sleeping, first.signal);
    setTimeout(() => first.abort(new Error('enough')), 200);
    await expect(run).rejects.toThrow('enough');
    // Its interpreter went with it: the next one needs a new one, which takes some tens of milliseconds.
    const second = new AbortController();
    const next = sandbox.run(sleeping, second.signal);
    setTimeout(() => second.abort(new Error('enough as well')), 5);
    const sinceMs = performance.now();
    await expect(next).rejects.toThrow('enough as well');
    expect(performance.now() - sinceMs).toBeLessThan(15_000);
  });

  it.each([
    [{ limits: { ...defaultTestLimits, cpuMs: 0 } }, /cpuMs is 0/],
    [{ limits: { ...defaultTestLimits, memoryMb: 1.5 } }, /memoryMb is 1.5/],
    [{ style: 'call' as const }, /names no function/],
    [{ style: 'call' as const, functionName: 'a b' }, /not a Python function name/],
  ])('refuses a request that cannot be meant: %j', async (changes, message) => {
    await expect(sandbox.run({ ...script(sum), ...changes })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(message),
    });
  });

  it('refuses questions that cannot be judged', async () => {
    await expect(judgeCode(question({ tests: [] }), sum, sandbox)).rejects.toMatchObject({ name: 'InvalidInput' });
    const bad = question({ style: 'call', functionName: 'f', tests: [{ input: '1', expected: 'True' }] });
    await expect(judgeCode(bad, sum, sandbox)).rejects.toMatchObject({ name: 'InvalidInput' });
  });

  it('throws, and gives no verdict, once it is closed', async () => {
    const closed = await openPythonSandbox({ tiers: [tier!], workers: 1 });
    await closed.close();
    await expect(judgeCode(question({}), sum, closed)).rejects.toMatchObject({ name: 'SandboxUnavailable' });
  });
});
