/**
 * Counter-based random numbers: every draw is a pure function of (path, counter). Nothing here keeps a position, so a
 * retry, another process or another batch composition draws the same numbers. Based on Philox4x32-10 (Salmon et al.,
 * "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011) keyed by two MurmurHash3 x86-32 hashes of the UTF-8 path.
 * 32-bit integer arithmetic only, so workflows may use it. It is not for secrets.
 */
import { DomainError } from './errors.ts';

/** The 64-bit key of a path, as two unsigned words. Make it once where many draws share a path. */
export interface StreamKey {
  readonly low: number;
  readonly high: number;
}

/** All draws of one path. `counter` is a whole number from 0; the same counter gives the same value. */
export interface RandomStream {
  readonly key: StreamKey;
  /** In [0, 1), 53 bits. */
  uniform(counter: number): number;
  /** Standard normal. */
  normal(counter: number): number;
  /** Whole number in [0, bound). */
  integer(counter: number, bound: number): number;
}

/** Philox words of the last block; reused so that a draw allocates nothing. */
const block = new Uint32Array(4);
const twoTo32 = 4294967296;

/** High 32 bits of the 64-bit product of two unsigned words; every intermediate stays below 2^32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (cross >>> 16)) >>> 0;
}

/** Philox4x32-10: counter words c0..c3 and key words into `out` (four unsigned words). */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  keyLow: number,
  keyHigh: number,
  out: Uint32Array,
): void {
  let k0 = keyLow;
  let k1 = keyHigh;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** UTF-8 bytes of a string; unpaired surrogates are encoded as they stand, so distinct strings stay distinct. */
function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return bytes;
}

const rotate = (word: number, by: number) => (word << by) | (word >>> (32 - by));
const scramble = (word: number) => Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);

/** MurmurHash3 x86-32 of bytes, as an unsigned word. */
function murmur(bytes: readonly number[], seed: number): number {
  let hash = seed;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(rotate(hash ^ scramble(word), 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (whole < bytes.length) hash ^= scramble(tail);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** MurmurHash3 x86-32 of the UTF-8 bytes of `text`. */
export const hash32 = (text: string, seed: number) => murmur(utf8(text), seed);

/** The two words of a path's key. */
export function streamKey(path: string): StreamKey {
  const bytes = utf8(path);
  return { low: murmur(bytes, 0x9747b28c), high: murmur(bytes, 0x3c6ef372) };
}

function draw(key: StreamKey, counter: number): void {
  if (!Number.isSafeInteger(counter) || counter < 0) {
    throw new DomainError('InvalidInput', `random counter ${counter} is not a whole number from 0 to 2^53 - 1`, {
      counter,
    });
  }
  philox(counter >>> 0, Math.floor(counter / twoTo32), 0, 0, key.low, key.high, block);
}

const fraction = (high: number, low: number) => ((high >>> 5) * 67108864 + (low >>> 6)) / 9007199254740992;
const keyOf = (path: string | StreamKey) => (typeof path === 'string' ? streamKey(path) : path);

/** Uniform in [0, 1) with 53 bits: draw number `counter` of the path. */
export function uniform(path: string | StreamKey, counter: number): number {
  draw(keyOf(path), counter);
  return fraction(block[0]!, block[1]!);
}

/** Standard normal (Box–Muller): draw number `counter` of the path. */
export function normal(path: string | StreamKey, counter: number): number {
  draw(keyOf(path), counter);
  const radius = Math.sqrt(-2 * Math.log(1 - fraction(block[0]!, block[1]!)));
  return radius * Math.cos(2 * Math.PI * fraction(block[2]!, block[3]!));
}

/** Whole number in [0, bound): draw number `counter` of the path. `bound` is from 1 to 2^32. */
export function integer(path: string | StreamKey, counter: number, bound: number): number {
  if (!Number.isSafeInteger(bound) || bound < 1 || bound > twoTo32) {
    throw new DomainError('InvalidInput', `random bound ${bound} is not a whole number from 1 to 2^32`, { bound });
  }
  return Math.floor(uniform(path, counter) * bound);
}

/** A stream with its key made once. */
export function createStream(path: string): RandomStream {
  const key = streamKey(path);
  return {
    key,
    uniform: (counter) => uniform(key, counter),
    normal: (counter) => normal(key, counter),
    integer: (counter, bound) => integer(key, counter, bound),
  };
}

/** A permutation of 0..n-1 (Fisher–Yates), a function of the path alone. */
export function permutation(path: string, n: number): number[] {
  if (!Number.isSafeInteger(n) || n < 0 || n > twoTo32) {
    throw new DomainError('InvalidInput', `cannot permute ${n} items: expected a whole number from 0 to 2^32`, { n });
  }
  const key = streamKey(path);
  const order = Array.from({ length: n }, (_, index) => index);
  for (let last = n - 1; last > 0; last--) {
    const other = integer(key, last, last + 1);
    const moved = order[last]!;
    order[last] = order[other]!;
    order[other] = moved;
  }
  return order;
}

/** One item, a function of the path alone. Throws `InvalidInput` on an empty list. */
export function pick<Item>(path: string, items: readonly Item[]): Item {
  if (items.length === 0) {
    throw new DomainError('InvalidInput', `nothing to pick from at '${path}': the list is empty`, { path });
  }
  return items[integer(path, 0, items.length)]!;
}

/** Fills `target` with normal draws of standard deviation `deviation`; element i depends on (path, i) alone. */
export function fillNormal(path: string, target: Float32Array, deviation: number): Float32Array {
  const key = streamKey(path);
  for (let i = 0; i < target.length; i += 2) {
    draw(key, i >>> 1);
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - fraction(block[0]!, block[1]!)));
    const angle = 2 * Math.PI * fraction(block[2]!, block[3]!);
    target[i] = radius * Math.cos(angle);
    if (i + 1 < target.length) target[i + 1] = radius * Math.sin(angle);
  }
  return target;
}
