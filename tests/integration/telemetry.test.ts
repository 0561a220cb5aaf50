/**
 * What a worker tells the outside, over a real run: its Prometheus endpoint, the trace from the command down to a model
 * call (a collector in this process receives it), and its log lines.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
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

/** A port that is free now, and stays so with high odds for the moment it takes to use it. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
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
  const train = ['train', '--recipe', 'smoke', '--run-id', 'observed', '--detach'];
  const few = ['--set', 'stages.count=1', '--set', 'stages.iterationsPerStage=1'];
  const { code, stderr } = await runCommandLine([...train, ...few], process.env);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const connection = await Connection.connect({ address: temporalAddress });
  await new Client({ connection, namespace }).workflow.getHandle('observed').result();
  await connection.close();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await worker.stop();
  log = (await worker.ended()).errors;
});
afterAll(async () => {
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
    const runId = 'observed';
    const verdicts = await store.verdicts.countDocuments({ runId });
    expect(sumOf('metaagentx_verdicts_total')).toBe(verdicts);
    expect(verdicts).toBeGreaterThan(0);
    const sampled = await store.calls.find({ runId }, { projection: { responseTokens: 1 } }).toArray();
    const designs = await store.designs.find({ runId }, { projection: { responseTokens: 1 } }).toArray();
    const tokens = [...sampled, ...designs].reduce((sum, each) => sum + (each.responseTokens ?? 0), 0);
    expect(sumOf('metaagentx_engine_generated_tokens_total')).toBe(tokens);
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
    expect(calls).toHaveLength(await store.calls.countDocuments({ runId: 'observed', kind: 'model' }));
    const stored = await store.calls.findOne({ batchId: 'observed/stage-01/iter-001', kind: 'model' });
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
    const lines = log.trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(
      parsed.every(({ level, time, queue, msg }) => [level, time, queue, msg].every((field) => field !== undefined)),
    ).toBe(true);
    const update = parsed.find(
      ({ activityType, msg }) => activityType === 'updatePolicy' && msg === 'Activity completed',
    );
    expect(update).toMatchObject({ run: 'observed', stage: 1, iteration: 1 });
  });
});
