import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { BSON, MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { DomainError, failureNames, neverRetried } from '../shared/errors.ts';
import { bounded } from './boundary.ts';

/** Failures are what these tests are about: nothing is logged. */
const nothing = () => undefined;
const silent = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

const failure = async (error: unknown, input: object | undefined = undefined, attempt = 1) => {
  const environment = new MockActivityEnvironment({ attempt }, { logger: silent });
  const body = bounded(async (_input: object | undefined) => {
    throw error;
  });
  return environment.run(body, input).then(
    () => expect.unreachable('the activity must fail'),
    (reason: unknown) => reason,
  );
};

describe('errors', () => {
  it.each(failureNames)('%s keeps its name, its data and its retry rule', async (name) => {
    const found = (await failure(new DomainError(name, 'what failed', { runId: 'r' }))) as ApplicationFailure;
    expect(found).toBeInstanceOf(ApplicationFailure);
    expect(found).toMatchObject({ type: name, message: 'what failed', details: [{ runId: 'r' }] });
    expect(found.nonRetryable).toBe(neverRetried.includes(name));
  });

  it("is retried when the store's driver fails", async () => {
    const driver = new MongoNetworkError('connection reset');
    const found = (await failure(driver)) as ApplicationFailure;
    expect(found).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
    expect(found.message).toContain('connection reset');
  });

  it('name the document and the command that shows it, as deep as the input goes', async () => {
    const batch = { runId: 'r', batchId: 'r/stage-01/iter-002' };
    const places = [
      [{ runId: 'r' }, 'r'],
      [batch, 'r/stage-01/iter-002'],
      [{ ...batch, slot: 3 }, 'r/stage-01/iter-002/q-003'],
      [{ ...batch, slot: 3, design: 1 }, 'r/stage-01/iter-002/q-003/d-1'],
      [{ runId: 'r', batchId: 'r/collection' }, 'r/collection', 'r'],
      [{ runId: 'r', batchId: 'r/search-aflow-1a2b/c-001' }, 'r/search-aflow-1a2b/c-001', 'r'],
    ] as const;
    for (const [input, path, shown = path] of places) {
      const found = (await failure(new DomainError('EngineDied', 'it died'), input)) as ApplicationFailure;
      expect(found.message).toBe(`it died · in ${path}; look: npx metaagentx inspect ${shown}`);
    }
  });

  it('is not retried when the store refuses the document itself', async () => {
    const refusals = [
      new MongoServerError({ message: 'Document failed validation', code: 121 }),
      new BSON.BSONError('a value that cannot be stored'),
    ];
    for (const refusal of refusals) {
      const found = (await failure(refusal)) as ApplicationFailure;
      expect(found).toMatchObject({ type: 'RecordRefused', nonRetryable: true });
    }
  });

  it('lets an unknown error pass as it is, four times', async () => {
    const bug = new TypeError('a bug');
    expect(await failure(bug, undefined, 4)).toBe(bug);
    expect(await failure(bug, undefined, 5)).toMatchObject({ type: 'UnexpectedFailure', nonRetryable: true });
  });
});

describe('an attempt', () => {
  it('heartbeats with the newest progress while it runs, and stops afterwards', async () => {
    const environment = new MockActivityEnvironment({}, { logger: silent });
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    const body = bounded<null, string>(async (_, attempt) => {
      attempt.progress({ done: 1 });
      await expect.poll(() => beats.at(-1)).toEqual({ done: 1 });
      attempt.progress({ done: 2 });
      await expect.poll(() => beats.at(-1)).toEqual({ done: 2 });
      return 'done';
    });
    expect(await environment.run(body, null)).toBe('done');
    const until = beats.length;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(beats).toHaveLength(until);
  });

  it('sees cancellation as an aborted signal and ends as cancelled, whatever it throws', async () => {
    const environment = new MockActivityEnvironment({}, { logger: silent });
    const body = bounded<null, never>(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped half way')));
        }),
    );
    const running = environment.run(body, null);
    environment.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });
});
