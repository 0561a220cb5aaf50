/**
 * Small changes of a script by program, for proposers that cannot be told what to change: another prompt for one agent, one
 * more layer around what is returned, or one layer less. Each follows from a path of draws; the result may still be
 * refused by the checks. Knows nothing of scores.
 */
import { createStream } from '../random.ts';
import { apiBuilders } from '../script/api.ts';
import { parseScript } from '../script/check.ts';
import { childrenOf } from '../script/scope.ts';
import type { Tree } from '../script/scope.ts';
import { quote } from './agent-prompts.ts';

const builders = new Set(apiBuilders.map(({ name }) => name));

interface Found {
  /** Text literals that are an agent's prompt. */
  prompts: Tree[];
  /** Arguments of the script's own return statements. */
  returned: Tree[];
}

/** `vocabulary`: prompts that may be given to an agent. A script that does not parse is returned as it is. */
export function editScript(script: string, vocabulary: readonly string[], seedKey: string): string {
  let found: Found;
  try {
    found = look(parseScript(script) as unknown as Tree);
  } catch {
    return script;
  }
  const stream = createStream(seedKey);
  const pick = <Item>(counter: number, items: readonly Item[]) => items[stream.integer(counter, items.length)]!;
  const edits: (() => string)[] = [];
  if (found.prompts.length > 0 && vocabulary.length > 0) {
    edits.push(() => replace(script, pick(1, found.prompts), quote(pick(2, vocabulary))));
  }
  if (found.returned.length > 0) {
    const target = pick(1, found.returned);
    edits.push(() =>
      replace(script, target, wrapped(textOf(script, target), pick(2, vocabulary), stream.integer(3, 3))),
    );
    const inner = innerNodes(target);
    if (inner.length > 0) edits.push(() => replace(script, target, textOf(script, pick(2, inner))));
  }
  return edits.length === 0 ? script : pick(0, edits)();
}

function wrapped(node: string, prompt: string | undefined, how: number): string {
  if (how === 0) return `ensemble(${node}, 3)`;
  if (how === 1) return `reflect({ agent: ${node}, rounds: 1 })`;
  return `sequence([${node}, agent(${quote(prompt ?? '')})])`;
}

const textOf = (script: string, { start, end }: Tree) => script.slice(start, end);
const replace = (script: string, { start, end }: Tree, text: string) =>
  script.slice(0, start) + text + script.slice(end);

/** Every prompt literal in a script. */
export function promptsIn(script: string): string[] {
  try {
    return look(parseScript(script) as unknown as Tree).prompts.map((literal) => literal.value as string);
  } catch {
    return [];
  }
}

function look(tree: Tree, found: Found = { prompts: [], returned: [] }): Found {
  if (tree.type === 'ReturnStatement' && tree.argument !== null) found.returned.push(tree.argument as Tree);
  if (isBuilderCall(tree, 'agent')) found.prompts.push(...promptsOf(tree));
  for (const child of childrenOf(tree)) look(child, found);
  return found;
}

function isBuilderCall(tree: Tree, name?: string): boolean {
  if (tree.type !== 'CallExpression') return false;
  const callee = tree.callee as Tree;
  if (callee.type !== 'Identifier') return false;
  return name === undefined ? builders.has(callee.name as string) : callee.name === name;
}

/** `agent('x')` and `agent({ prompt: 'x' })`. */
function promptsOf(call: Tree): Tree[] {
  const [first] = call.arguments as Tree[];
  if (first === undefined) return [];
  if (isText(first)) return [first];
  if (first.type !== 'ObjectExpression') return [];
  const property = (first.properties as Tree[]).find(
    (each) => each.type === 'Property' && (each.key as Tree).name === 'prompt',
  );
  const value = property?.value as Tree | undefined;
  return value !== undefined && isText(value) ? [value] : [];
}

const isText = (tree: Tree) => tree.type === 'Literal' && typeof tree.value === 'string';

/** Builder calls inside a node: what could stand in its place. */
function innerNodes(tree: Tree): Tree[] {
  return childrenOf(tree).flatMap((child) => [...(isBuilderCall(child) ? [child] : []), ...innerNodes(child)]);
}
