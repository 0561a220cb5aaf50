/**
 * A model behind an OpenAI-compatible HTTP API (`POST URL/chat/completions`), not streamed. Paces requests, repeats what
 * may pass, and refuses by name what will not. Knows nothing of designs. The key stands in the environment alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatMessage, SamplingSettings } from '../../shared/domain/sampling.ts';
import { DomainError } from '../../shared/errors.ts';
import { readCompletion } from './read-completion.ts';
import type { Completion } from './read-completion.ts';
import { Turnstile } from './turnstile.ts';

export interface EndpointSettings {
  /** Base URL, e.g. `https://host/v1`. */
  url: string;
  model: string;
  /** Environment variable that holds the key; a server that needs none gets none. */
  keyVariable: string;
  requestsPerMinute: number;
  concurrentRequests: number;
  timeoutMs: number;
  /** Of one request, the first included. */
  attempts: number;
}

export interface CompletionRequest {
  messages: readonly ChatMessage[];
  sampling: SamplingSettings;
  /** For servers that sample by seed. */
  seed: number;
}

/** Waits before repeating: from half a second, doubled, at most half a minute; a server's Retry-After wins. */
const firstWaitMs = 500;
const longestWaitMs = 30_000;
const passing = new Set([408, 409, 425, 429]);

/** An answer that may be another one next time. */
class Passing extends Error {
  readonly waitMs: number | null;
  constructor(message: string, waitMs: number | null = null) {
    super(message);
    this.waitMs = waitMs;
  }
}

export class ChatEndpoint {
  readonly #settings: EndpointSettings;
  readonly #key: string | undefined;
  readonly #turnstile: Turnstile;

  constructor(settings: EndpointSettings, key: string | undefined) {
    this.#settings = settings;
    this.#key = key;
    this.#turnstile = new Turnstile(settings.concurrentRequests, 60_000 / settings.requestsPerMinute);
  }

  /**
   * Null: the prompt is longer than the model's context. Throws `EndpointUnavailable` when all attempts were in vain, and
   * `EndpointRefused` where the server will never answer this.
   */
  async complete(request: CompletionRequest, signal: AbortSignal): Promise<Completion | null> {
    const { attempts } = this.#settings;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#turnstile.pass(signal, () => this.#ask(request, signal));
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        if (attempt >= attempts) throw this.#unavailable(error, attempts);
        const waitMs = error.waitMs ?? firstWaitMs * 2 ** (attempt - 1);
        await sleep(Math.min(waitMs, longestWaitMs), undefined, { signal });
      }
    }
  }

  async #ask(request: CompletionRequest, signal: AbortSignal): Promise<Completion | null> {
    const { status, headers, text } = await this.#post(bodyOf(this.#settings.model, request), signal);
    if (passing.has(status) || status >= 500)
      throw new Passing(`status ${status}: ${excerpt(text)}`, retryAfter(headers));
    if (status >= 400) {
      if (isTooLong(text)) return null;
      throw this.#refused(`status ${status}: ${excerpt(text)}`);
    }
    const found = readCompletion(text);
    if (typeof found !== 'string') return found;
    throw new Passing(`${found}: ${excerpt(text)}`);
  }

  async #post(body: string, signal: AbortSignal): Promise<{ status: number; headers: Headers; text: string }> {
    const limit = AbortSignal.timeout(this.#settings.timeoutMs);
    try {
      const response = await fetch(`${this.#settings.url.replace(/\/+$/, '')}/chat/completions`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        body,
        signal: AbortSignal.any([signal, limit]),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      if (limit.aborted) throw new Passing(`no reply within ${this.#settings.timeoutMs} ms`);
      const { cause } = error as { cause?: unknown };
      throw new Passing(cause instanceof Error ? cause.message : String(error));
    }
  }

  #unavailable(last: Error, attempts: number): DomainError {
    const { url, model } = this.#settings;
    return new DomainError(
      'EndpointUnavailable',
      `${model} at ${url} failed ${attempts} times, last: ${last.message}`,
      {
        url,
        model,
      },
    );
  }

  #refused(reason: string): DomainError {
    const { url, model, keyVariable } = this.#settings;
    return new DomainError(
      'EndpointRefused',
      `${model} at ${url} refuses the request (${reason}): check the URL, the model's name and the key in ${keyVariable}${this.#key === undefined ? ', which is not set where the worker runs' : ''}`,
      { url, model },
    );
  }
}

function bodyOf(model: string, { messages, sampling, seed }: CompletionRequest): string {
  const { temperature, topP, maxTokens, stopStrings } = sampling;
  return JSON.stringify({
    model,
    messages,
    temperature,
    top_p: topP,
    max_tokens: maxTokens,
    ...(stopStrings.length === 0 ? {} : { stop: stopStrings }),
    seed,
    n: 1,
    stream: false,
  });
}

const excerpt = (text: string) => JSON.stringify(text.slice(0, 200));

const isTooLong = (text: string) => /context_length_exceeded|maximum context length|context window/i.test(text);

/** Seconds, as rate limits give it; a date is left to our own waits. */
function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

const opened = new Map<string, ChatEndpoint>();

/** One endpoint a worker process, so that its pace holds for all activities of the worker. */
export function endpointOf(settings: EndpointSettings, environment: NodeJS.ProcessEnv = process.env): ChatEndpoint {
  const name = JSON.stringify(settings);
  const found = opened.get(name) ?? new ChatEndpoint(settings, environment[settings.keyVariable]);
  opened.set(name, found);
  return found;
}
