/** Against a local server that speaks the protocol, well and badly. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ChatEndpoint } from './chat-endpoint.ts';
import type { EndpointSettings } from './chat-endpoint.ts';
import { Turnstile } from './turnstile.ts';

type Reply = (response: ServerResponse, body: Record<string, unknown>, request: IncomingMessage) => void;

let server: Server;
let url: string;
/** One for each request; the last one stays. */
let replies: Reply[] = [];
let asked: { body: Record<string, unknown>; authorization: string | undefined; path: string | undefined }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      asked.push({ body, authorization: request.headers.authorization, path: request.url });
      const reply = replies.length > 1 ? replies.shift()! : replies[0]!;
      reply(response, body, request);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
const raw =
  (text: string, status = 200): Reply =>
  (response) =>
    void response.writeHead(status).end(text);
const completion = (content: string | null, finish_reason = 'stop') => ({
  choices: [{ message: { role: 'assistant', content }, finish_reason }],
  usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
});
const good = json(completion('4'));

const endpoint = (changes: Partial<EndpointSettings> = {}, key?: string) =>
  new ChatEndpoint(
    {
      url,
      model: 'm',
      keyVariable: 'THE_KEY',
      requestsPerMinute: 600_000,
      concurrentRequests: 4,
      timeoutMs: 5_000,
      attempts: 3,
      ...changes,
    },
    key,
  );
const request = {
  messages: [{ role: 'user' as const, content: '2+2?' }],
  sampling: { temperature: 0.5, topP: 0.9, topK: 0, minP: 0, maxTokens: 32, stopStrings: ['END'] },
  seed: 7,
};
const open = () => new AbortController().signal;

it('asks as the protocol says, not streamed, with the key, and reads text and usage', async () => {
  replies = [good];
  expect(await endpoint({}, 'sesame').complete(request, open())).toEqual({
    text: '4',
    finishReason: 'stop',
    promptTokens: 11,
    responseTokens: 3,
  });
  expect(asked).toEqual([
    {
      path: '/v1/chat/completions',
      authorization: 'Bearer sesame',
      body: {
        model: 'm',
        messages: [{ role: 'user', content: '2+2?' }],
        temperature: 0.5,
        top_p: 0.9,
        max_tokens: 32,
        stop: ['END'],
        seed: 7,
        n: 1,
        stream: false,
      },
    },
  ]);
});

it('takes a cut reply and a refusal of the model as replies', async () => {
  replies = [json(completion('half', 'length'))];
  expect(await endpoint().complete(request, open())).toMatchObject({ text: 'half', finishReason: 'length' });
  replies = [json(completion(null))];
  expect(await endpoint().complete(request, open())).toMatchObject({ text: '' });
  expect(asked[0]!.authorization).toBeUndefined();
});

it.each<[string, Reply]>([
  ['429 with Retry-After', json({ error: { message: 'slow down' } }, 429, { 'retry-after': '0' })],
  ['500', json({ error: {} }, 500, { 'retry-after': '0' })],
  ['garbage', raw('<html>gateway</html>')],
  ['half a body', raw('{"choices":[{"message":{"content":"4')],
  ['no choices', json({ choices: [], usage: {} })],
  ['no usage', json({ choices: completion('4').choices })],
  ['a closed connection', (response) => void response.destroy()],
])('repeats after %s', async (_name, bad) => {
  replies = [bad, good];
  expect(await endpoint().complete(request, open())).toMatchObject({ text: '4' });
  expect(asked).toHaveLength(2);
});

it('repeats what is slower than the limit', async () => {
  replies = [() => undefined, good];
  expect(await endpoint({ timeoutMs: 1_500 }).complete(request, open())).toMatchObject({ text: '4' });
  expect(asked).toHaveLength(2);
});

it('gives up by name after its attempts', async () => {
  replies = [json({ error: { message: 'overloaded' } }, 503, { 'retry-after': '0' })];
  await expect(endpoint({ attempts: 3 }).complete(request, open())).rejects.toMatchObject({
    name: 'EndpointUnavailable',
    message: expect.stringContaining('failed 3 times, last: status 503') as string,
  });
  expect(asked).toHaveLength(3);
});

it('refuses at once what will never work, and says what to check', async () => {
  replies = [json({ error: { message: 'bad key' } }, 401)];
  await expect(endpoint().complete(request, open())).rejects.toMatchObject({
    name: 'EndpointRefused',
    message: expect.stringContaining('the key in THE_KEY, which is not set where the worker runs') as string,
  });
  expect(asked).toHaveLength(1);
});

it('answers null for a prompt beyond the context', async () => {
  replies = [json({ error: { code: 'context_length_exceeded', message: 'too long' } }, 400)];
  expect(await endpoint().complete(request, open())).toBeNull();
});

it('ends when the signal aborts, in a request and in a wait', async () => {
  const controller = new AbortController();
  replies = [(_response) => void setTimeout(() => controller.abort(new Error('enough')), 20)];
  await expect(endpoint().complete(request, controller.signal)).rejects.toThrow('enough');
  expect(asked).toHaveLength(1);
});

it('lets no more in than there are places, each after the interval', async () => {
  const turnstile = new Turnstile(2, 5);
  let inside = 0;
  let most = 0;
  const starts: number[] = [];
  await Promise.all(
    Array.from({ length: 8 }, () =>
      turnstile.pass(open(), async () => {
        starts.push(performance.now());
        most = Math.max(most, ++inside);
        await new Promise((go) => setTimeout(go, 12));
        inside -= 1;
      }),
    ),
  );
  expect(most).toBe(2);
  // Timers may fire a millisecond early; eight starts are seven intervals apart.
  expect(starts.at(-1)! - starts[0]!).toBeGreaterThanOrEqual(7 * 5 - 8);
});
