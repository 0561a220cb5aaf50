/** A teacher behind a real HTTP server: collected, filtered, trained on, measured and asked; killed in between. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { auditRun } from '../../audit/audit-run.ts';
import { openDatabase } from '../../audit/database.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { startTeacher } from '../helpers/teacher-server.ts';
import type { Asked, TeacherServer } from '../helpers/teacher-server.ts';
import { connectServers } from '../helpers/tiny-run.ts';
import type { TestServers } from '../helpers/tiny-run.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

let servers: TestServers;
let worker: WorkerProcess;
let folder: string;
let questions: string;
let heldOut: string;

const count = 12;
/** For teachers that leave requests unanswered. */
const impatient = ['--set', 'policy.init.timeoutMs=1500'];
const textOf = (i: number) => `Tom has ${i + 1} pens and gets 4 more. How many pens?`;

/** Question 0: a broken script. Question 1: a wrong answer. All others: right, by one agent. */
function teach({ role, content }: Asked): string {
  const pens = Number(/has (\d+) pens/.exec(content)?.[1]);
  if (role === 'designer') return pens === 1 ? 'return agent(' : "return agent('steps')";
  return pens === 2 ? '2+4=7;#### 7' : `${pens}+4=${pens + 4};#### ${pens + 4}`;
}

beforeAll(async () => {
  servers = await connectServers();
  worker = await startWorkerProcess('all');
  folder = await mkdtemp(join(tmpdir(), 'coldstart-'));
  questions = join(folder, 'train.jsonl');
  heldOut = join(folder, 'held-out.jsonl');
  const line = (i: number) => JSON.stringify({ id: `q${i}`, question: textOf(i), answer: String(i + 5) });
  await writeFile(questions, Array.from({ length: count }, (_, i) => `${line(i)}\n`).join(''));
  await writeFile(heldOut, `${line(30)}\n${line(31)}\n`);
});
afterAll(async () => {
  await worker.stop();
  await servers.close();
  await rm(folder, { recursive: true });
});

const collecting = (setId: string, { url }: TeacherServer, ...more: string[]) =>
  metaagentx(
    ...['coldstart', 'collect', setId, '--teacher', 'm', '--url', url, '--questions', questions, '--held-out', heldOut],
    ...['--set', 'prompts.form=terse', '--set', 'policy.init.requestsPerMinute=60000'],
    ...['--designs', '2', ...more],
  );

it('keeps what was judged right, once, with where it came from, through errors, slow replies and garbage', async () => {
  const teacher = await startTeacher(teach, { failEvery: 5 });
  const { code, data, log } = await collecting('taught', teacher, ...impatient);
  expect(code, log).toBe(0);
  expect(Object.keys(teacher.failures).sort()).toEqual(['broken', 'busy', 'closed', 'garbage', 'slow']);
  // 24 designs; 22 run one agent each.
  expect(data).toMatchObject({
    setId: 'taught',
    teacher: { url: teacher.url, model: 'm' },
    promptForm: 'terse',
    asked: count,
    questions: count,
    cost: { calls: 46, promptTokens: 920, responseTokens: 460 },
    examples: { designer: 10, executor: 10 },
    leftOut: {
      'designer: answer not right': 2,
      'designer: syntax-error': 2,
      'designer: the same again': 10,
      'executor: answer not right': 2,
      'executor: the same again': 10,
    },
  });
  const shown = await servers.store.sftExamples.find({ setId: 'taught', question: 'q2' }).sort({ role: 1 }).toArray();
  expect(shown.map(({ role, response }) => [role, response])).toEqual([
    ['designer', "return agent('steps')"],
    ['executor', '3+4=7;#### 7'],
  ]);
  expect(shown[0]!.messages).toEqual([
    { role: 'system', content: 'design' },
    { role: 'user', content: textOf(2) },
  ]);
  expect(await servers.store.calls.countDocuments({ _id: shown[1]!.source })).toBe(1);
  const asked = teacher.answered.length;
  const again = await collecting('taught', teacher, ...impatient, '--limit', '1');
  expect(again.data.examples).toEqual(data.examples);
  expect(again.log).toContain('set taught is in the store already; to collect with other options choose another name');
  expect(teacher.answered).toHaveLength(asked);
  const changed = await collecting('taught', teacher, ...impatient, '--set', 'policy.init.attempts=9');
  expect(changed).toMatchObject({ code: 2 });
  expect(changed.log).toContain("'taught' is in the store with other settings");
  await teacher.close();
});

it('made again by the same command where the store has lost some of it; only what is lost is asked again', async () => {
  let manner = '';
  const answering = (asked: Asked) => (asked.role === 'designer' ? '' : manner) + teach(asked);
  const teacher = await startTeacher(answering, { failEvery: 0 });
  const budget = ['--calls', '20'];
  const whole = await collecting('lossy-set', teacher, ...budget);
  // Two batches of 8 questions, cut at 12: the budget is spent after the first.
  expect(whole.data).toMatchObject({ asked: 8, cost: { calls: 30 }, examples: { designer: 6, executor: 6 } });
  const { store, client } = servers;
  await client.workflow.getHandle('lossy-set/collection').result();
  const asked = teacher.answered.length;
  await store.sftExamples.deleteMany({ setId: 'lossy-set', role: 'executor' });
  const again = await collecting('lossy-set', teacher, ...budget);
  expect(again.log).toContain('set lossy-set: the store had lost 6 of 12 examples: making it again');
  expect(again.data).toEqual({ ...whole.data, createdAt: again.data.createdAt });
  expect(await store.sftExamples.countDocuments({ setId: 'lossy-set' })).toBe(12);
  expect(teacher.answered).toHaveLength(asked);
  // The set, its examples, and the newest call with the verdict on it.
  await store.sftSets.deleteOne({ _id: 'lossy-set' });
  await store.sftExamples.deleteMany({ setId: 'lossy-set' });
  const lost = (await store.calls.findOne({ runId: 'lossy-set', executionId: { $regex: 'q-005.*d-1' } }))!;
  await store.calls.deleteOne({ _id: lost._id });
  await store.verdicts.deleteOne({ _id: lost.executionId });
  const mended = await collecting('lossy-set', teacher, ...budget);
  expect(mended.log).toContain('lossy-set/collection: the store had lost 1 of 14 calls');
  expect(mended.data).toEqual({ ...whole.data, createdAt: mended.data.createdAt });
  expect(teacher.answered).toHaveLength(asked + 1);
  // Answers that were examples are lost and come out otherwise: what they were made into goes.
  manner = 'so: ';
  for (const call of await store.calls.find({ runId: 'lossy-set', executionId: { $regex: 'q-005' } }).toArray()) {
    await store.calls.deleteOne({ _id: call._id });
    await store.verdicts.deleteOne({ _id: call.executionId });
  }
  await store.sftExamples.deleteOne({ setId: 'lossy-set', question: 'q3' });
  const other = await collecting('lossy-set', teacher, ...budget);
  expect(other.data).toEqual({ ...whole.data, createdAt: other.data.createdAt });
  const fifth = await store.sftExamples.find({ setId: 'lossy-set', question: 'q5', role: 'executor' }).toArray();
  expect(fifth.map(({ response }) => response)).toEqual(['so: 6+4=10;#### 10']);
  expect((await collecting('lossy-set', teacher, ...budget)).log).not.toContain('lost');
  await teacher.close();
});

it('goes on after a kill, and asks nothing again that was journaled', async () => {
  const teacher = await startTeacher(teach, { failEvery: 0, delayMs: 100 });
  const cut = collecting('killed', teacher);
  while ((await servers.store.calls.countDocuments({ runId: 'killed' })) < 5)
    await new Promise((go) => setTimeout(go, 5));
  await worker.kill();
  await teacher.unconnected();
  expect(await servers.store.sftSets.findOne({ _id: 'killed' })).toBeNull();
  const journaled = await servers.store.calls.find({ runId: 'killed' }).toArray();
  const before = teacher.answered.length;
  worker = await startWorkerProcess('all');
  const { code, data, log } = await cut;
  expect(code, log).toBe(0);
  expect(data.examples).toEqual({ designer: 10, executor: 10 });
  expect(teacher.answered.length).toBeGreaterThanOrEqual(46);
  for (const { messages } of journaled) {
    const content = messages!.map((message) => message.content).join('\n');
    const after = teacher.answered.slice(before).filter((asked) => asked.content === content);
    const [all, done] = [
      2,
      journaled.filter((call) => call.messages!.map((m) => m.content).join('\n') === content).length,
    ];
    expect(after.length).toBeLessThanOrEqual(all - done);
  }
  await teacher.close();
});

it('ends at its budget between batches', async () => {
  const teacher = await startTeacher(teach, { failEvery: 0 });
  const { data } = await collecting('bounded', teacher, '--calls', '20');
  expect(data).toMatchObject({ asked: 8, questions: count, cost: { calls: 30 } });
  await teacher.close();
});

it('says what is wrong before anything starts, and names a refusing server', async () => {
  const noUrl = await metaagentx('coldstart', 'collect', 'nowhere', '--teacher', 'm');
  expect(noUrl.code).toBe(2);
  expect(noUrl.log).toContain('METAAGENTX_ENDPOINT_URL');
  const teacher = await startTeacher(teach, { failEvery: 1, kinds: ['refusing'] });
  const refused = await collecting('refused', teacher);
  expect(refused.code).toBe(1);
  expect(refused.log).toContain('EndpointRefused');
  expect(refused.log).toContain('METAAGENTX_ENDPOINT_KEY, which is not set where the worker runs');
  await teacher.close();
});

it('trains on a set, and refuses other prompts', async () => {
  const argv = ['coldstart', 'train', 'taught', '--recipe', 'smoke', '--run-id', 'warm', '--epochs', '30'];
  const small = ['--learning-rate', '3e-3', '--chunks', '2', '--set', 'evaluation.limit=2'];
  const { code, log } = await metaagentx(...argv, ...small);
  expect(code, log).toBe(0);
  const versions = await servers.store.policies.find({ runId: 'warm' }).sort({ version: 1 }).toArray();
  expect(versions.map(({ madeBy }) => madeBy)).toEqual(['initial', 'cold-start-1', 'cold-start-2']);
  const [first, last] = [versions[1]!.metrics.sharedLoss!, versions[2]!.metrics.sharedLoss!];
  expect(last).toBeLessThan(first);
  // No iteration has made a version of it.
  const { runs } = (await metaagentx('list')).data as { runs: { runId: string }[] };
  expect(runs.find(({ runId }) => runId === 'warm')).toMatchObject({ iterations: 0, policyVersion: 2 });
  const other = await metaagentx(
    'coldstart',
    'train',
    'taught',
    '--recipe',
    'smoke',
    '--set',
    'prompts.form=documented',
  );
  expect(other.code).toBe(2);
});

it('is measured and asked like any policy', async () => {
  const teacher = await startTeacher(teach, { failEvery: 7 });
  const stored = await metaagentx(
    ...['coldstart', 'teacher', 'big', '--teacher', 'm', '--url', teacher.url, '--set', 'prompts.form=terse'],
    ...['--set', 'policy.init.requestsPerMinute=60000', ...impatient],
  );
  expect(stored.code, stored.log).toBe(0);
  // Nothing trains it, so nothing is to be resumed.
  const { stdout: status } = await runCommandLine(['status', 'big'], process.env);
  expect(status).toContain('npx metaagentx inspect big');
  expect(status).not.toContain('npx metaagentx resume');
  expect(await metaagentx('resume', 'big', '--detach')).toMatchObject({
    code: 2,
    data: { error: { name: 'InvalidInput' } },
  });
  expect((await servers.store.runs.findOne({ _id: 'big' }))!.status).toBe('created');
  const other = await metaagentx('coldstart', 'teacher', 'big', '--teacher', 'n', '--url', teacher.url);
  expect([other.code, other.data.error.message]).toEqual([2, expect.stringContaining('npx metaagentx inspect big')]);
  expect((await metaagentx('eval', 'big@v7')).code).toBe(3);
  const measured = await metaagentx('eval', 'big', '-k', '2', '--questions', questions);
  expect(measured.code, measured.log).toBe(0);
  expect(measured.data.metrics.average).toBeCloseTo(10 / 12, 12);
  const shown = await metaagentx('eval', 'show', String(measured.data.id), '--recompute');
  expect(shown.code).toBe(0);
  const vote = await metaagentx(
    'eval',
    'big',
    '--system',
    'self-consistency',
    '--budget',
    'calls=3',
    '--questions',
    heldOut,
  );
  expect(vote.data.metrics.average).toBe(1);
  const solved = await metaagentx('solve', 'big', textOf(40));
  expect(solved.code, solved.log).toBe(0);
  expect(JSON.stringify(solved.data)).toContain('45');
  await teacher.close();
});

it.each(['taught', 'big'])('leaves %s whole for the audit', async (runId) => {
  const { mongoUri, database: name } = inject('stack');
  const database = await openDatabase(mongoUri, name);
  try {
    expect((await auditRun(database, runId, { client: servers.client })).findings).toEqual([]);
  } finally {
    await database.close();
  }
});
