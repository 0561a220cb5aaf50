/**
 * Asks a MongoDB-compatible server on this machine whether it answers, with one hand-made `ping` message, because the
 * driver is met in activities/store only and brings pools and retries that a liveness question does not want.
 * Based on the wire protocol: OP_MSG (opcode 2013), one section of kind 0, a BSON document.
 */
import { connect } from 'node:net';

const opMsg = 2013;
const headerBytes = 16;

/** BSON of `{ ping: 1, $db: 'admin' }`: int32 0x10, string 0x02, each with a zero-ended name. */
function pingDocument(): Buffer {
  const body = Buffer.concat([
    Buffer.from('\x10ping\0'),
    int32(1),
    Buffer.from('\x02$db\0'),
    int32('admin'.length + 1),
    Buffer.from('admin\0'),
    Buffer.from([0]),
  ]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** The whole message: length, request id, response-to, opcode, flags, section kind, document. */
export function pingMessage(): Buffer {
  const payload = Buffer.concat([int32(0), Buffer.from([0]), pingDocument()]);
  return Buffer.concat([int32(headerBytes + payload.length), int32(1), int32(0), int32(opMsg), payload]);
}

/** Null when the server answers the ping with `ok: 1` in time, else why not. */
export function pingMongo(host: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let answer = Buffer.alloc(0);
    const done = (why: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    };
    const timer = setTimeout(() => done(`no answer within ${timeoutMs} ms`), timeoutMs);
    socket.once('error', (error) => done(error.message));
    socket.once('close', () => done('the connection was closed'));
    socket.once('connect', () => socket.write(pingMessage()));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length < headerBytes || answer.length < answer.readInt32LE(0)) return;
      done(isOk(answer) ? null : 'it answered the ping with an error');
    });
  });
}

/** `ok` comes back as a double, int32 or int64 one, depending on the server. */
function isOk(answer: Buffer): boolean {
  const at = answer.indexOf('ok\0', headerBytes, 'latin1');
  if (at < 1) return false;
  const type = answer[at - 1];
  const value = at + 3;
  if (type === 0x01) return answer.readDoubleLE(value) === 1;
  return (type === 0x10 || type === 0x12) && answer.readInt32LE(value) === 1;
}
