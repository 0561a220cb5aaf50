/**
 * Guest side: reads a builder's arguments against the language's table (`shared/script/api.ts`), so that a wrong option
 * is refused where it is written, with what would have been right.
 */
import { describe, isThenable, Node } from './node.mjs';
import { Reply } from './reply.mjs';

let largest = 100;
let granted = [];
let makeAgent;

export function setOptionRules(config, agentBuilder) {
  largest = config.largestCount;
  granted = config.tools;
  makeAgent = agentBuilder;
}

const refuse = (where, expected, value) => {
  throw new TypeError(`${where} must be ${expected}; got ${describe(value)}`);
};

/** A node, reply, promise or function as it is; a text as an agent with that prompt. */
export function asRecipe(value, where) {
  if (typeof value === 'string') return makeAgent(value);
  if (typeof value === 'function' || Node.is(value) || Reply.is(value) || isThenable(value)) return value;
  return refuse(where, 'a node, a reply, a prompt text or a function', value);
}

const isPlain = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !Node.is(value) &&
  !Reply.is(value) &&
  !isThenable(value);

const strategies = ['majority', 'weighted', 'consensus'];

const readers = {
  string: (value, where) => (typeof value === 'string' ? value : refuse(where, 'text', value)),
  node: asRecipe,
  nodes(value, where) {
    const list = Array.isArray(value) ? value : [value];
    if (list.length === 0) refuse(where, 'one node at least', value);
    return list.map((item, index) => asRecipe(item, `${where}[${index}]`));
  },
  input: (value) => value,
  names(value, where) {
    const list = Array.isArray(value) ? value : [value];
    for (const name of list) {
      if (typeof name !== 'string') refuse(where, 'a list of tool names', name);
      if (!granted.includes(name)) {
        throw new TypeError(`tool '${name}' is not granted; granted: ${granted.join(', ') || 'none'}`);
      }
    }
    return list;
  },
  memory(value, where) {
    if (typeof value === 'boolean') return value;
    const keys = Array.isArray(value) ? value : [value];
    return keys.every((key) => typeof key === 'string') ? keys : refuse(where, 'true or a list of keys', value);
  },
  count: (value, where) =>
    Number.isInteger(value) && value >= 1 && value <= largest
      ? value
      : refuse(where, `a whole number from 1 to ${largest}`, value),
  strategy: (value, where) => (strategies.includes(value) ? value : refuse(where, strategies.join(', '), value)),
  weights: (value, where) =>
    Array.isArray(value) || isPlain(value) ? value : refuse(where, 'a list of numbers, or numbers by name', value),
  routes(value, where) {
    if (!isPlain(value) || Object.keys(value).length === 0) refuse(where, 'an object of nodes by name', value);
    return Object.fromEntries(Object.keys(value).map((name) => [name, asRecipe(value[name], `${where}.${name}`)]));
  },
  chooser: asRecipe,
  condition: asRecipe,
  default: (value, where) => (typeof value === 'string' ? value : refuse(where, "a route's name", value)),
};

/** Turns the arguments of one builder call into checked options. */
export function readOptions(builder, args) {
  const [first, second] = args;
  let given;
  if (builder.shorthand === null || (args.length === 1 && isPlain(first))) given = first ?? {};
  else if (args.length === 0) given = {};
  else if (builder.options.some((option) => option.name === builder.shorthand && option.type === 'nodes')) {
    const spread = args.length > 1 && !(args.length === 2 && typeof second === 'number');
    given = { [builder.shorthand]: spread ? args : first };
    if (!spread && second !== undefined) given[builder.second ?? 'second argument'] = second;
  } else {
    given = isPlain(first) ? { ...first } : { [builder.shorthand]: first };
    if (second !== undefined) given[builder.second ?? 'second argument'] = second;
  }
  if (!isPlain(given)) refuse(`the argument of ${builder.name}`, 'an object of options', given);
  const takes = builder.options.map((option) => option.name);
  for (const name of Object.keys(given)) {
    if (!takes.includes(name)) {
      throw new TypeError(`${builder.name} has no option '${name}'; it takes ${takes.join(', ')}`);
    }
  }
  const result = {};
  for (const { name, type, required } of builder.options) {
    if (given[name] !== undefined) result[name] = readers[type](given[name], `${builder.name}: ${name}`);
    else if (required) throw new TypeError(`${builder.name}: ${name} is missing`);
  }
  return result;
}
