/** `report` and `export` over a stored run: what they write against what the store holds, read back by other code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { exportRun } from '../../cli/export/export-run.ts';
import { metaagentx, runCommandLine } from '../helpers/command-line.ts';
import { storeRun } from '../helpers/stored-run.ts';

const runId = 'reported';
/** The plan says two iterations a stage; the second has not ended. */
const shape = { runId, stages: [2, 1], questions: 2, designs: 2, executions: 2, calls: 2 };
const hostile = '```\n</script><b>|x|</b> `a`';

let store: Store;
let folder: string;
beforeAll(async () => {
  const { mongoUri, database } = inject('stack');
  store = await openStore({ uri: mongoUri, database });
  await storeRun(store, { ...shape, text: (what) => (what === 'question' ? hostile : `some ${what}`) });
  folder = mkdtempSync(join(tmpdir(), 'metaagentx-report-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await store.close();
});

const jsonLines = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('export', () => {
  it('writes every trajectory and credit, the same in Parquet and JSONL', async () => {
    const to = join(folder, 'data');
    const files = await exportRun(store, runId, to, 'test');
    const rows = Object.fromEntries(files.map(({ name, rows: count }) => [name, count]));
    // 3 iterations × 2 questions × 2 designs, of which the first of each question is invalid; 2 executions × 2 calls.
    expect(rows).toMatchObject({
      'designs.parquet': 12,
      'executions.parquet': 12,
      'calls.jsonl': 24,
      'credits.jsonl': 24,
    });
    for (const table of ['designs', 'executions', 'calls', 'credits']) {
      const file = await asyncBufferFromFile(join(to, `${table}.parquet`));
      expect(await parquetReadObjects({ file })).toEqual(await jsonLines(join(to, `${table}.jsonl`)));
    }
    const calls = await jsonLines(join(to, 'calls.jsonl'));
    expect(calls[0]).toMatchObject({
      id: `${runId}/stage-01/iter-001/q-000/d-1/e-0/c-0000`,
      prompt_ids: [1, 2],
      token_ids: [3],
      log_probs: [-1],
      agent: 'some agent',
    });
    const credits = await jsonLines(join(to, 'credits.jsonl'));
    const stored = await store.credits.find({ runId }).toArray();
    expect(new Map(credits.map(({ id, advantage, baseline }) => [id, [advantage, baseline]]))).toEqual(
      new Map(stored.map(({ _id, advantage, baseline }) => [_id, [advantage, baseline]])),
    );
    await expect(exportRun(store, runId, to, 'test')).rejects.toThrow(/is not empty .* name another folder/);
  });
});

describe('inspect', () => {
  it('says the mean reward of a question over its designs, also those that may not run', async () => {
    const batchId = `${runId}/stage-01/iter-001`;
    const { data } = await metaagentx('inspect', batchId);
    const credits = await store.credits.find({ batchId, role: 'designer' }).sort({ _id: 1 }).toArray();
    const rewards = credits.map(({ reward }) => reward);
    expect(rewards).toHaveLength(4);
    const means = data.questions.map(({ meanReward }: { meanReward: number }) => meanReward) as number[];
    expect(means).toEqual([(rewards[0]! + rewards[1]!) / 2, (rewards[2]! + rewards[3]!) / 2]);
  });
});

describe('report', () => {
  it('gives the numbers of the store as JSON', async () => {
    const { code, data } = await metaagentx('report', runId);
    expect(code).toBe(0);
    const iterations = await store.iterations.find({ runId }).sort({ stage: 1, iteration: 1 }).toArray();
    expect(data).toMatchObject({
      runId,
      datasets: { train: { count: 2 } },
      iterations: iterations.map(({ _id, metrics }) => ({ id: _id, metrics })),
      stages: [
        { stage: 1, learner: 'executor', iterations: 2 },
        { stage: 2, learner: 'designer', iterations: 2 },
      ],
    });
    const evaluations = await store.evaluations.find({ runId }).sort({ policyVersion: 1 }).toArray();
    expect((data as { evaluations: unknown[] }).evaluations).toMatchObject(
      evaluations.map(({ name, intervals }) => ({ name, intervals })),
    );
  });

  it('keeps what models wrote inside its fences in Markdown', async () => {
    const { stdout: text } = await runCommandLine(['report', runId, '--md'], process.env);
    expect(text).toContain(`\n\`\`\`\`\n${hostile}\n\`\`\`\`\n`);
    expect(text.match(/^# /gm)).toHaveLength(1);
  });

  it('refuses what it cannot write', async () => {
    expect(await metaagentx('report', runId, '-o', join(folder, 'report.pdf'))).toMatchObject({ code: 2 });
    expect(await metaagentx('report', 'no-such-run')).toMatchObject({ code: 3 });
    expect(await metaagentx('report', runId, '-o', join(folder, 'no', 'such.html'))).toMatchObject({ code: 2 });
  });
});
