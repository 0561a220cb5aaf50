/** Guest side: notes of one execution. They live in the isolate: a re-run writes them again, so nothing is stored. */
import { describe } from './node.mjs';
import { Reply } from './reply.mjs';

const notes = new Map();

function textOf(value) {
  if (typeof value === 'string') return value;
  if (Reply.is(value)) return value.text;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TypeError(`memory holds text; got ${describe(value)}`);
}

export const memory = Object.freeze({
  get: (key) => notes.get(textOf(key)),
  set(key, value) {
    notes.set(textOf(key), textOf(value));
  },
  append(key, value) {
    const before = notes.get(textOf(key));
    notes.set(textOf(key), before === undefined ? textOf(value) : `${before}\n${textOf(value)}`);
  },
  keys: () => [...notes.keys()],
});

/** `[key, text]` pairs that an agent's `memory` option opens to it. */
export function readMemory(access) {
  if (access === undefined || access === false) return [];
  const keys = access === true ? [...notes.keys()] : access.filter((key) => notes.has(key));
  return keys.map((key) => [key, notes.get(key)]);
}
