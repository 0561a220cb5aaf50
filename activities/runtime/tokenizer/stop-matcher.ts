/**
 * Tells, token by token, when a response has completed one of its stop strings. Byte-level vocabularies are matched on bytes, so that a
 * stop string may begin or end inside a token; others by decoding a window of the last tokens.
 */
import type { PolicyTokenizer } from './policy-tokenizer.ts';

export interface StopMatcher {
  /** Takes the next token; true where it completes a stop string. */
  push(id: number): boolean;
}

const never: StopMatcher = { push: () => false };

class ByteMatcher implements StopMatcher {
  private readonly tokenizer: PolicyTokenizer;
  private readonly stops: readonly Uint8Array[];
  private readonly keep: number;
  private tail = new Uint8Array(0);

  constructor(tokenizer: PolicyTokenizer, stops: readonly string[]) {
    this.tokenizer = tokenizer;
    this.stops = stops.map((stop) => new TextEncoder().encode(stop));
    this.keep = Math.max(...this.stops.map((stop) => stop.length)) - 1;
  }

  push(id: number): boolean {
    const bytes = this.tokenizer.bytes(id)!;
    if (bytes.length === 0) return false;
    const seen = new Uint8Array(this.tail.length + bytes.length);
    seen.set(this.tail);
    seen.set(bytes, this.tail.length);
    this.tail = seen.slice(Math.max(0, seen.length - this.keep));
    return this.stops.some((stop) => contains(seen, stop));
  }
}

function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    let i = 0;
    while (i < part.length && bytes[at + i] === part[i]) i++;
    if (i === part.length) return true;
  }
  return false;
}

class TextMatcher implements StopMatcher {
  private readonly tokenizer: PolicyTokenizer;
  private readonly stops: readonly string[];
  private readonly window: number;
  private readonly ids: number[] = [];

  constructor(tokenizer: PolicyTokenizer, stops: readonly string[]) {
    this.tokenizer = tokenizer;
    this.stops = stops;
    // A token of a vocabulary that is not byte-level spells one character or more, or one byte of up to four.
    this.window = 4 * Math.max(...stops.map((stop) => stop.length)) + 4;
  }

  push(id: number): boolean {
    this.ids.push(id);
    if (this.ids.length > this.window) this.ids.shift();
    const text = this.tokenizer.decode(this.ids);
    return this.stops.some((stop) => text.includes(stop));
  }
}

/** A matcher for one response. Empty stop strings are ignored. */
export function createStopMatcher(tokenizer: PolicyTokenizer, stopStrings: readonly string[]): StopMatcher {
  const stops = stopStrings.filter((stop) => stop.length > 0);
  if (stops.length === 0) return never;
  return tokenizer.bytes(0) === null ? new TextMatcher(tokenizer, stops) : new ByteMatcher(tokenizer, stops);
}

/** The text before the first stop string, or all of it. */
export function cutAtStop(text: string, stopStrings: readonly string[]): string {
  const ends = stopStrings.filter((stop) => stop.length > 0).map((stop) => text.indexOf(stop));
  const found = ends.filter((at) => at >= 0);
  return found.length === 0 ? text : text.slice(0, Math.min(...found));
}
