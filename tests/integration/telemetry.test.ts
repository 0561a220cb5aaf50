/**
 * What a worker tells the outside, over a real run: its Prometheus endpoint, the trace from the command down to a model
 * call (a collector in this process receives it), and its log lines.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { isFree } from '../../cli/stack/ports.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

interface Spanned {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

const spans: Spanned[] = [];
let collector: Server;
let worker: WorkerProcess;
let store: Store;
let metrics = '';
let log = '';

/** A port that is free now, below those that systems give to whoever asks for any. */
async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) if (await isFree(port)) return port;
}

const runId = 'observed';
/** No call of it is cut off before it is stored, whatever the model says. */
const script = "return ensemble([agent('steps'), agent('plain'), agent('fast')]);";

async function sampledTokens(): Promise<number> {
  const calls = await store.calls.find({ runId }, { projection: { responseTokens: 1 } }).toArray();
  return calls.reduce((sum, { responseTokens = 0 }) => sum + responseTokens, 0);
}

/** Until the engine's numbers, which are read every two seconds, are of the run's end. */
async function readMetrics(port: number): Promise<void> {
  const tokens = await sampledTokens();
  await vi.waitFor(
    async () => {
      metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(sumOf('metaagentx_engine_generated_tokens_total')).toBeGreaterThanOrEqual(tokens);
      expect(sumOf('metaagentx_engine_updates_total')).toBeGreaterThan(0);
    },
    { timeout: 60_000, interval: 200 },
  );
}

beforeAll(async () => {
  collector = createServer((request, answer) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Spanned[] }[] }[] };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      answer.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => collector.once('listening', resolve));
  const port = await freePort();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const { mongoUri, database, temporalAddress, namespace } = inject('stack');
  store = await openStore({ uri: mongoUri, database });
  worker = await startWorkerProcess('all', { METAAGENTX_METRICS: `127.0.0.1:${port}`, METAAGENTX_LOG: 'debug' });
  const train = ['train', '--recipe', 'smoke', '--run-id', runId, '--detach'];
  const few = ['stages.scheme=executor-only', 'stages.count=1', 'stages.iterationsPerStage=1'];
  const set = [...few, `designs.script=${script}`].flatMap((change) => ['--set', change]);
  const { code, stderr } = await runCommandLine([...train, ...set], process.env);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const connection = await Connection.connect({ address: temporalAddress });
  await new Client({ connection, namespace }).workflow.getHandle(runId).result();
  await connection.close();
  await readMetrics(port);
  await worker.stop();
  log = (await worker.ended()).errors;
});
afterAll(async () => {
  await worker?.stop();
  await store?.close();
  await new Promise((resolve) => collector.close(resolve));
});

/** Sum over the tags of one metric. */
const sumOf = (name: string) =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

describe('telemetry', () => {
  it('serves the SDK’s metrics and the engine’s at one endpoint', async () => {
    expect(metrics).toMatch(/^temporal_workflow_task_schedule_to_start_latency/m);
    expect(metrics).toMatch(/^temporal_worker_task_slots_available/m);
    const verdicts = await store.verdicts.countDocuments({ runId });
    expect(sumOf('metaagentx_verdicts_total')).toBe(verdicts);
    expect(verdicts).toBeGreaterThan(0);
    expect(sumOf('metaagentx_engine_generated_tokens_total')).toBe(await sampledTokens());
    expect(sumOf('metaagentx_executions_total')).toBe(await store.executions.countDocuments({ runId }));
    expect(sumOf('metaagentx_engine_batch_mean_calls')).toBeGreaterThan(0);
  });

  it('serves every metric that the Grafana dashboard asks for', () => {
    const board = readFileSync(new URL('../../monitoring/grafana/metaagentx.json', import.meta.url), 'utf8');
    const asked = [...new Set(board.match(/\b(metaagentx|temporal)_[a-z_]+/g))].sort();
    expect(asked.length).toBeGreaterThan(10);
    const missing = asked.filter(
      (name) => !metrics.split('\n').some((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
    );
    // Counters appear with their first event: nothing was replayed and nothing failed in this run.
    const uneventful = [
      'metaagentx_journal_replayed_calls_total',
      'temporal_activity_execution_failed_total',
      'temporal_request_failure_total',
    ];
    expect(missing.filter((name) => !uneventful.includes(name))).toEqual([]);
  });

  it('traces a model call back to the command', async () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const calls = spans.filter(({ name }) => name === 'model call');
    expect(calls).toHaveLength(await store.calls.countDocuments({ runId, kind: 'model' }));
    const stored = await store.calls.findOne({ batchId: `${runId}/stage-01/iter-001`, kind: 'model' });
    const training = calls.find(({ attributes }) => attributes.some(({ value }) => value.stringValue === stored!._id));
    const chain: string[] = [];
    for (let span: Spanned | undefined = training; span !== undefined; span = byId.get(span.parentSpanId ?? ''))
      chain.push(span.name);
    expect(chain).toContain('RunActivity:rollOut');
    expect(chain).toContain('RunWorkflow:hierarchicalRollout');
    expect(chain).toContain('RunWorkflow:trainingRun');
    expect(chain.at(-1)).toBe('StartWorkflow:trainingRun');
  });

  it('writes one JSON object a line, with where in which run it belongs', () => {
    const lines = log
      .trimEnd()
      .split('\n')
      // Its own words about a processor that it does not know, past every logger.
      .filter((line) => !/^(onnxruntime|.*\[\w:onnxruntime)/.test(line));
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      parsed.every(({ level, time, queue, msg }) => [level, time, queue, msg].every((field) => field !== undefined)),
    ).toBe(true);
    const update = parsed.find(
      ({ activityType, msg }) => activityType === 'updatePolicy' && msg === 'Activity completed',
    );
    expect(update).toMatchObject({ run: runId, stage: 1, iteration: 1 });
  });
});
