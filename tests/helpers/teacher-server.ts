/** A local server that speaks the chat completion protocol and fails now and then, in a fixed order. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  role: 'designer' | 'executor';
  content: string;
}

export interface TeacherServer {
  url: string;
  /** Requests that were answered well. */
  answered: Asked[];
  /** Requests that were not, by how. */
  failures: Record<string, number>;
  /** Resolves when nobody is connected: all that was ever sent has arrived. */
  unconnected(): Promise<void>;
  close(): Promise<void>;
}

const fail: Record<string, (response: ServerResponse) => void> = {
  busy: (response) => void response.writeHead(429, { 'retry-after': '0' }).end('{}'),
  broken: (response) => void response.writeHead(500, { 'retry-after': '0' }).end('oops'),
  garbage: (response) => void response.writeHead(200).end('{"choices": [{"mess'),
  closed: (response) => void response.destroy(),
  slow: () => undefined,
  refusing: (response) => void response.writeHead(401).end('{"error":{"message":"no such key"}}'),
};
/** Failures that another attempt mends. */
const passing = ['busy', 'broken', 'garbage', 'closed', 'slow'];

interface Message {
  role: string;
  content: string;
}

/** `failEvery`: each so-manieth request fails, by the next of `kinds` each time; 0 for never. */
export async function startTeacher(
  answer: (asked: Asked) => string,
  { failEvery, kinds = passing, delayMs = 0 }: { failEvery: number; kinds?: readonly string[]; delayMs?: number },
): Promise<TeacherServer> {
  const answered: Asked[] = [];
  const failures: Record<string, number> = {};
  let requests = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      requests += 1;
      if (failEvery > 0 && requests % failEvery === 0) {
        const kind = kinds[(requests / failEvery) % kinds.length]!;
        failures[kind] = (failures[kind] ?? 0) + 1;
        fail[kind]!(response);
        return;
      }
      const { messages } = JSON.parse(text) as { messages: Message[] };
      const asked: Asked = {
        role: messages[0]!.content === 'design' ? 'designer' : 'executor',
        content: messages.map(({ content }) => content).join('\n'),
      };
      answered.push(asked);
      const content = answer(asked);
      const body = {
        choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 20, completion_tokens: 10 },
      };
      setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        delayMs,
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    answered,
    failures,
    async unconnected() {
      const connections = () =>
        new Promise<number>((resolve, reject) =>
          server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
        );
      while ((await connections()) > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
