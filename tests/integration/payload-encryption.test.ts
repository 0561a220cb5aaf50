/**
 * A run whose payloads Temporal cannot read, on real servers: raw histories hold no plaintext, keys are changed in its
 * middle, a worker without the key loses nothing, and the codec server answers what the Temporal UI sends.
 */
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { encryptionCodec } from '../../activities/payloads/codec.ts';
import { encryptingConverter } from '../../activities/payloads/data-converter.ts';
import { readPayloadKeys } from '../../activities/payloads/keys.ts';
import { codecApp } from '../../cli/codec-server/app.ts';
import { listen, namesOf } from '../../cli/listen.ts';
import type { Listening } from '../../cli/listen.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import type { RunPlan } from '../../shared/domain/plan.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';

const key = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString('base64')}`;
const [first, second, strange] = [key('first', 1), key('second', 2), key('strange', 3)];
const queue = 'payload-encryption';
const question = 'Where does Mona keep her three silver keys?';
const uiOrigin = 'https://temporal.example';

let connection: Connection;
let native: NativeConnection;
beforeAll(async () => {
  const address = inject('stack').temporalAddress;
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
});
afterAll(async () => {
  await native.close();
  await connection.close();
});

const clientWith = (keys: string) => {
  const dataConverter = encryptingConverter({ METAAGENTX_PAYLOAD_KEYS: keys }, null)!;
  return new Client({ connection, dataConverter });
};
/** As the server stores it. */
async function rawHistory(workflowId: string): Promise<Buffer> {
  const history = await new Client({ connection }).workflow.getHandle(workflowId).fetchHistory();
  return Buffer.from(temporal.api.history.v1.History.encode(history).finish());
}

const plan: RunPlan = {
  seed: 1,
  queues: { control: queue, gpu: queue, sandbox: queue },
  activities: resolveTemporalConfig({ activities: { rollout: { initialRetryMs: 10 } } }).activities,
  trainQuestions: 4,
  coldStartChunks: 0,
  stages: [{ stage: 1, learner: 'executor', iterations: 2 }],
  rollout: { questionsPerIteration: 1, designsPerQuestion: 1, executionsPerDesign: 1, concurrentQuestions: 1 },
  evaluation: { samples: 1, questions: 0, questionsPerBatch: 1, concurrentBatches: 1, everyIterations: 0 },
  iterationsPerHistory: 100,
};

/** A worker of constants, with these keys; its designs fail once and tell the question. */
async function serve(keys: string, onIteration: (iteration: number) => Promise<void> = async () => undefined) {
  let failed = false;
  const activities = {
    recordRun: async () => undefined,
    recordStage: async () => undefined,
    recordIteration: async ({ iteration }: { iteration: number }) => onIteration(iteration),
    recordEvaluation: async () => ({ average: 0.25, metrics: { average: 0.25 } }),
    assignCredit: async () => ({ meanReward: 0.5 }),
    initializePolicy: async () => ({ policyVersion: 0 }),
    rollOut: async () => {
      if (!failed) {
        failed = true;
        throw new Error(`cannot design for: ${question}`);
      }
      return { valid: [{ design: 0, replied: 1, calls: 1, note: question }], invalid: 0 };
    },
    verifyBatch: async () => ({ meanReward: 0.5, correct: 1, executions: 1 }),
    updatePolicy: async ({ baseVersion }: { baseVersion: number }) => ({ policyVersion: baseVersion + 1, metrics: {} }),
  };
  const worker = await Worker.create({
    connection: native,
    taskQueue: queue,
    activities,
    workflowBundle: await workflowBundle(inject('stateDir'), { encrypted: true }),
    dataConverter: encryptingConverter({ METAAGENTX_PAYLOAD_KEYS: keys }, null)!,
    stickyQueueScheduleToStartTimeout: 500,
  });
  const served = worker.run();
  return async () => (worker.shutdown(), served);
}

describe('keys that change in the middle of a run', () => {
  it('each history opens with the keys of its time, and holds no plaintext', async () => {
    const client = clientWith(first);
    let reach = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const stopFirst = await serve(first, async (iteration) => {
      if (iteration === 1) reach();
    });
    const handle = await client.workflow.start('trainingRun', {
      workflowId: 'encrypted-rotation',
      taskQueue: queue,
      args: [{ runId: 'encrypted-rotation', dataset: question, plan, from: null }],
      staticSummary: `a run about: ${question}`,
      memo: { about: question },
    });
    await reached;
    await stopFirst();

    // A worker that lacks the key fails tasks by name, and the run waits.
    const stopStrange = await serve(strange);
    const strangers = encryptionCodec(readPayloadKeys({ METAAGENTX_PAYLOAD_KEYS: strange }, null)!);
    const taskFailures = async () => {
      const { events } = await handle.fetchHistory();
      const sealed = (events ?? []).flatMap(
        (event) => event.workflowTaskFailedEventAttributes?.failure?.encodedAttributes ?? [],
      );
      const clear = await strangers.decode(sealed);
      return clear.map((payload) => defaultPayloadConverter.fromPayload<{ message: string }>(payload).message);
    };
    await handle.signal('unpause');
    await vi.waitFor(
      async () => expect((await taskFailures())[0]).toMatch(/encrypted with key 'first', and here are only strange/),
      { timeout: 120_000 },
    );
    await stopStrange();

    const stopSecond = await serve(`${second},${first}`);
    expect(await clientWith(`${second},${first}`).workflow.getHandle('encrypted-rotation').result()).toBeDefined();
    await stopSecond();

    const ids = [
      '',
      '/stage-01-executor',
      '/stage-01/iter-001',
      '/stage-01/iter-001/q-000',
      '/stage-01/iter-002/q-000',
    ];
    const histories = await Promise.all(ids.map((id) => rawHistory(`encrypted-rotation${id}`)));
    const all = Buffer.concat(histories);
    for (const plaintext of [question, 'silver', 'policyVersion', 'meanReward', 'questionsPerIteration'])
      expect(all.includes(plaintext), plaintext).toBe(false);
    expect(histories[0]!.includes('first') && histories[0]!.includes('second')).toBe(true);
    const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: 'encrypted-rotation' },
    });
    const about = workflowExecutionInfo!.memo!.fields!.about!;
    expect(Buffer.from(about.metadata!.encoding!).toString()).toBe('binary/encrypted');
    expect(Buffer.from(about.data!).includes('silver')).toBe(false);
  });
});

describe('the codec server', () => {
  let served: Listening;
  beforeAll(async () => {
    const codec = encryptionCodec(readPayloadKeys({ METAAGENTX_PAYLOAD_KEYS: `${second},${first}` }, null)!);
    served = await listen(codecApp({ codec, uiOrigin, hosts: namesOf('127.0.0.1') }), 'the codec server', {
      host: '127.0.0.1',
      port: 0,
    });
  });
  afterAll(() => served.close());
  const ask = (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
    fetch(`${served.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', origin: uiOrigin, 'x-namespace': 'default', ...headers },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    });

  it("opens what the UI sends: payloads of the history in protobuf's JSON", async () => {
    const { events } = await new Client({ connection }).workflow.getHandle('encrypted-rotation').fetchHistory();
    const { input } = events![0]!.workflowExecutionStartedEventAttributes!;
    const sent = temporal.api.common.v1.Payloads.fromObject(input!).toJSON();
    const answer = await ask('/decode', sent);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(uiOrigin);
    const { payloads } = (await answer.json()) as { payloads: { metadata: { encoding: string }; data: string }[] };
    expect(Buffer.from(payloads[0]!.metadata.encoding, 'base64').toString()).toBe('json/plain');
    expect(JSON.parse(Buffer.from(payloads[0]!.data, 'base64').toString())).toMatchObject({ dataset: question });

    // And back: what a person sends from the UI is encrypted with the first key.
    const encoded = (await (await ask('/encode', { payloads })).json()) as typeof sent;
    expect(JSON.stringify(encoded)).not.toContain(payloads[0]!.data.slice(0, 20));
    expect(await (await ask('/decode', encoded)).json()).toEqual({ payloads });
  });

  it('answers one site only, and that one before it asks', async () => {
    const preflight = await ask('/decode', null, { 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('x-namespace');
    const other = await ask('/decode', { payloads: [] }, { origin: 'https://evil.example' });
    expect(other.status).toBe(403);
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each<[string, unknown, RegExp]>([
    ['no payloads', {}, /expected {"payloads"/],
    ['not base64', { payloads: [{ metadata: {}, data: '§' }] }, /expected {"payloads"/],
    [
      'a changed payload',
      {
        payloads: [
          {
            metadata: {
              encoding: Buffer.from('binary/encrypted').toString('base64'),
              'encryption-key-id': Buffer.from('first').toString('base64'),
            },
            data: Buffer.alloc(64).toString('base64'),
          },
        ],
      },
      /PayloadCorrupt: a payload of key 'first'/,
    ],
  ])('%s is refused', async (_, body, message) => {
    const answer = await ask('/decode', body);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(message)]);
  });
});

describe('the command and a real worker with keys in their environment', () => {
  it('train a run whose histories hold no plaintext, and audit it with the keys and without', async () => {
    vi.stubEnv('METAAGENTX_PAYLOAD_KEYS', first);
    const worker = await startWorkerProcess('all', { METAAGENTX_PAYLOAD_KEYS: first });
    try {
      const small = ['stages.count=1', 'stages.iterationsPerStage=1', 'evaluation.limit=0'];
      const set = small.flatMap((change) => ['--set', change]);
      const { code, log } = await metaagentx('train', '--recipe', 'smoke', '--run-id', 'encrypted-run', ...set);
      expect(code, log).toBe(0);
      const audited = await metaagentx('audit', 'encrypted-run');
      expect(audited.code, audited.log).toBe(0);
      expect(JSON.stringify(audited.data)).not.toContain('cannot be read');
      vi.stubEnv('METAAGENTX_PAYLOAD_KEYS', undefined);
      expect(JSON.stringify((await metaagentx('audit', 'encrypted-run')).data)).toContain('cannot be read');
    } finally {
      vi.unstubAllEnvs();
      await worker.stop();
    }
    const recipe = await loadRecipe({ recipe: 'smoke' });
    const { train } = await loadDatasets(recipe);
    const raw = Buffer.concat(
      await Promise.all(
        ['', '/stage-01/iter-001', '/stage-01/iter-001/q-000'].map((id) => rawHistory(`encrypted-run${id}`)),
      ),
    );
    for (const plaintext of [train.questions[0]!.text, recipe.description.slice(0, 20), train.digest])
      expect(raw.includes(plaintext), plaintext).toBe(false);
    // Search attributes are what Temporal filters by: they stay in clear.
    expect(raw.includes('"encrypted-run"')).toBe(true);
  });
});
