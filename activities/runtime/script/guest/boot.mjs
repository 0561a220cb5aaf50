/**
 * Guest side: opens the language to a script. `boot(send, config)` defines the globals, makes randomness a function of
 * the seed, takes away ways to make code from text, and gives back the two functions that the host drives it with.
 */
import { buildAgent } from './agent.mjs';
import { buildRoute, buildSequence } from './flow.mjs';
import { askTool, finish, openLink, settle, usedSoFar } from './link.mjs';
import { memory } from './memory.mjs';
import { setQuestion, topPath } from './node.mjs';
import { readOptions, setOptionRules } from './options.mjs';
import { buildLoop, buildReflect } from './refine.mjs';
import { Reply } from './reply.mjs';
import { buildDebate, buildEnsemble } from './vote.mjs';

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by four words from the host. */
function seededRandom([a, b, c, d]) {
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i += 1) next();
  return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
}

/** `eval` and the function constructors: a design's text is all of its code. */
function removeCodeMakers() {
  const makers = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const maker of makers) {
    const prototype = Object.getPrototypeOf(maker);
    Object.defineProperty(prototype, 'constructor', { value: undefined, writable: false, configurable: false });
  }
  delete globalThis.eval;
  delete globalThis.Function;
}

function defineBuilders(config, define) {
  const table = Object.fromEntries(config.builders.map((builder) => [builder.name, builder]));
  const built = {};
  const nextName = (kind) => {
    built[kind] = (built[kind] ?? 0) + 1;
    return `${kind}${built[kind]}`;
  };
  const makeAgent = (...args) => {
    const options = readOptions(table.agent, args);
    return buildAgent(options, options.name ?? nextName('agent'));
  };
  const builder = (kind, build) => define(kind, (...args) => build(readOptions(table[kind], args), nextName(kind)));
  setOptionRules(config, makeAgent);
  define('agent', makeAgent);
  builder('ensemble', (options, name) => buildEnsemble(options, name, buildAgent({}, 'judge')));
  builder('debate', buildDebate);
  builder('reflect', (options, name) => buildReflect(options, name, buildAgent({}, 'critic')));
  builder('route', buildRoute);
  builder('sequence', buildSequence);
  builder('loop', buildLoop);
}

function defineTools(config, define) {
  const refusal = `granted: ${config.tools.join(', ') || 'none'}`;
  const entries = config.knownTools.map((tool) => [
    tool,
    async (input) => {
      if (!config.tools.includes(tool)) throw new TypeError(`tool '${tool}' is not granted; ${refusal}`);
      if (typeof input !== 'string') throw new TypeError(`tools.${tool} takes one text`);
      return askTool(topPath(tool), 'script', tool, input);
    },
  ]);
  define('tools', Object.freeze(Object.fromEntries(entries)));
}

function report(value) {
  if (Reply.is(value)) {
    return { kind: 'reply', call: Reply.callOf(value), status: value.status, error: value.error };
  }
  if (value === undefined || value === null) return { kind: 'nothing' };
  if (typeof value === 'string' || typeof value === 'number') return { kind: 'authored', text: String(value) };
  return { kind: 'object' };
}

/** What a script threw, as text. Reading it may run the script's own code, which may throw again. */
function readError(error) {
  try {
    const named = typeof error === 'object' && error !== null;
    return {
      message: String(named ? (error.message ?? error) : error),
      name: named ? String(error.name ?? 'Error') : 'Error',
      stack: named && typeof error.stack === 'string' ? error.stack : '',
    };
  } catch {
    return { message: 'the script threw a value that cannot be read', name: 'Error', stack: '' };
  }
}

export function boot(send, json) {
  const config = JSON.parse(json);
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: false, enumerable: true, configurable: false });
  openLink(send);
  setQuestion(config.question);
  define('question', config.question);
  defineBuilders(config, define);
  define('memory', memory);
  defineTools(config, define);
  const left = {
    get calls() {
      return config.limits.calls - usedSoFar.calls;
    },
    get toolCalls() {
      return config.limits.toolCalls - usedSoFar.toolCalls;
    },
    get tokens() {
      return config.limits.totalTokens - usedSoFar.tokens;
    },
  };
  define('budget', Object.freeze(left));
  const silent = () => undefined;
  define('console', Object.freeze({ log: silent, info: silent, warn: silent, error: silent }));
  Math.random = seededRandom(config.seed);
  removeCodeMakers();
  const threw = (error) => finish('threw', readError(error));
  const begin = (script) => {
    script()
      .then((value) => finish('done', report(value)))
      .catch(threw);
  };
  return { begin, settle };
}
