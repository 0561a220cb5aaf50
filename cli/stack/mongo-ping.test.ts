/** The hand-made ping, against the driver's own BSON and against small servers. */
import { createServer, type Server } from 'node:net';
import { BSON } from 'mongodb';
import { afterEach, expect, test } from 'vitest';
import { pingMessage, pingMongo } from './mongo-ping.ts';

let server: Server | null = null;
afterEach(() => server?.close());

/** For answers that do come. */
const patienceMs = 15_000;
const headerBytes = 16;
const sectionStart = headerBytes + 5;

/** A server that answers every message with this document. */
async function answering(document: object): Promise<number> {
  const body = BSON.serialize(document);
  const answer = Buffer.alloc(sectionStart + body.length);
  answer.writeInt32LE(answer.length, 0);
  answer.writeInt32LE(2013, 12);
  answer.set(body, sectionStart);
  // In two pieces, as a network may deliver it.
  server = createServer((socket) =>
    socket.once('data', () => {
      socket.write(answer.subarray(0, 10));
      setTimeout(() => socket.write(answer.subarray(10)), 10);
    }),
  ).listen(0, '127.0.0.1');
  await new Promise((done) => server?.once('listening', done));
  return (server.address() as { port: number }).port;
}

test('the message is an OP_MSG with the BSON of a ping', () => {
  const message = pingMessage();
  expect(message.readInt32LE(0)).toBe(message.length);
  expect(message.readInt32LE(12)).toBe(2013);
  expect(BSON.deserialize(message.subarray(sectionStart))).toEqual({ ping: 1, $db: 'admin' });
});

test.each([
  ['a double', { ok: 1.0, note: 'x' }],
  ['an int32', { ok: new BSON.Int32(1) }],
  ['an int64', { ok: BSON.Long.fromNumber(1) }],
])('ok as %s is an answer', async (_, document) => {
  expect(await pingMongo('127.0.0.1', await answering(document), patienceMs)).toBeNull();
});

test('an error, silence and a closed port are told apart', async () => {
  const port = await answering({ ok: 0, errmsg: 'starting' });
  expect(await pingMongo('127.0.0.1', port, patienceMs)).toBe('it answered the ping with an error');
  server?.close();
  server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await new Promise((done) => server?.once('listening', done));
  const silent = (server.address() as { port: number }).port;
  expect(await pingMongo('127.0.0.1', silent, 100)).toBe('no answer within 100 ms');
  await new Promise((done) => server?.close(done));
  expect(await pingMongo('127.0.0.1', silent, patienceMs)).toContain('ECONNREFUSED');
});
