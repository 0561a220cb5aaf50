/**
 * Loops and recursions that surely never end: a loop with a constant condition and no way out, and functions that call
 * each other on every path. What depends on data is left to the dry run and to the limits.
 */
import { childrenOf, isFunction, isTree, type Tree } from './scope.ts';

const exits = new Set(['ReturnStatement', 'ThrowStatement']);

/** Whether control can leave a loop from inside its body. */
function canLeave(tree: Tree, inInner: boolean, labels: ReadonlySet<string>): boolean {
  if (isFunction(tree)) return false;
  // A generator's caller may leave it where it yields.
  if (exits.has(tree.type) || tree.type === 'YieldExpression') return true;
  if (tree.type === 'BreakStatement') {
    const label = isTree(tree.label) ? (tree.label.name as string) : null;
    return label === null ? !inInner : !labels.has(label);
  }
  const captures = /^(For|While|DoWhile|Switch)/.test(tree.type);
  const inside =
    tree.type === 'LabeledStatement' ? new Set([...labels, (tree.label as { name: string }).name]) : labels;
  return childrenOf(tree).some((child) => canLeave(child, inInner || captures, inside));
}

function isAlways(test: unknown): boolean {
  if (test === null || test === undefined) return true;
  return isTree(test) && test.type === 'Literal' && Boolean(test.value);
}

function endlessLoop(tree: Tree): boolean {
  if (!['WhileStatement', 'DoWhileStatement', 'ForStatement'].includes(tree.type)) return false;
  return isAlways(tree.test) && !canLeave(tree.body as Tree, false, new Set());
}

const branching = new Set([
  'IfStatement',
  'ConditionalExpression',
  'LogicalExpression',
  'SwitchStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'TryStatement',
]);

/** Names of functions called on every run of a body; `ended` once a branch may have left the function. */
function surelyCalled(tree: Tree, state: { ended: boolean; names: Set<string> }): void {
  if (state.ended || isFunction(tree)) return;
  if (branching.has(tree.type)) {
    const first = tree.test ?? tree.discriminant ?? tree.left ?? tree.init;
    if (isTree(first)) surelyCalled(first, state);
    if (mayExit(tree)) state.ended = true;
    return;
  }
  for (const child of childrenOf(tree)) surelyCalled(child, state);
  if (tree.type === 'CallExpression' && isTree(tree.callee) && tree.callee.type === 'Identifier') {
    if (!state.ended) state.names.add(tree.callee.name as string);
  }
  if (exits.has(tree.type)) state.ended = true;
}

const mayExit = (tree: Tree): boolean =>
  !isFunction(tree) && (exits.has(tree.type) || childrenOf(tree).some((child) => mayExit(child)));

interface NamedFunction {
  tree: Tree;
  calls: Set<string>;
}

function namedFunctions(tree: Tree, found = new Map<string, NamedFunction>()): Map<string, NamedFunction> {
  const add = (name: string, body: Tree) => {
    const state = { ended: false, names: new Set<string>() };
    surelyCalled(body.body as Tree, state);
    found.set(name, { tree: body, calls: state.names });
  };
  if (tree.type === 'FunctionDeclaration' && isTree(tree.id)) add(tree.id.name as string, tree);
  if (tree.type === 'VariableDeclarator' && isTree(tree.id) && tree.id.type === 'Identifier' && isTree(tree.init)) {
    if (isFunction(tree.init)) add(tree.id.name as string, tree.init);
  }
  for (const child of childrenOf(tree)) namedFunctions(child, found);
  return found;
}

/** Whether a function surely reaches itself again. */
function reachesItself(name: string, functions: ReadonlyMap<string, NamedFunction>): boolean {
  const seen = new Set<string>();
  const queue = [...(functions.get(name)?.calls ?? [])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === name) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...(functions.get(next)?.calls ?? []));
  }
  return false;
}

/** Every loop or function of the program that surely cannot end. */
export function endlessParts(program: Tree): { tree: Tree; message: string }[] {
  const found: { tree: Tree; message: string }[] = [];
  const walk = (tree: Tree): void => {
    if (endlessLoop(tree)) found.push({ tree, message: 'this loop has no end: give it a condition or a break' });
    childrenOf(tree).forEach(walk);
  };
  walk(program);
  const functions = namedFunctions(program);
  for (const [name, { tree }] of functions) {
    if (reachesItself(name, functions)) {
      found.push({ tree, message: `the function ${name} always calls itself again: give it a way to end` });
    }
  }
  return found;
}
