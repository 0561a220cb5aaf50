/**
 * Which names a script uses without anyone having defined them. Follows JavaScript's scopes (functions, blocks, hoisted
 * `var` and functions, parameters, catch clauses); knows the language's globals and the built-ins of the isolate.
 */
import type * as acorn from 'acorn';
import { apiBuilders, apiObjects } from './api.ts';

/** Any acorn node, seen as fields. */
export type Tree = acorn.Node & Record<string, unknown>;

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Direct children of a node, in source order of its fields. */
export function childrenOf(tree: Tree): Tree[] {
  const children: Tree[] = [];
  for (const key of Object.keys(tree)) {
    const value = tree[key];
    if (isTree(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isTree));
  }
  return children;
}

export const isFunction = (tree: Tree) =>
  tree.type === 'FunctionDeclaration' || tree.type === 'FunctionExpression' || tree.type === 'ArrowFunctionExpression';

const builtIns =
  'undefined NaN Infinity globalThis Object Array String Number Boolean Symbol BigInt Math JSON Map Set WeakMap WeakSet ' +
  'Promise Error TypeError RangeError SyntaxError ReferenceError EvalError URIError AggregateError RegExp Date Proxy ' +
  'Reflect Iterator parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI console ' +
  'ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array ' +
  'Float32Array Float64Array BigInt64Array BigUint64Array';

/** Every name that a script may use without defining it. */
export const globalNames: ReadonlySet<string> = new Set([
  ...builtIns.split(' '),
  ...apiBuilders.map(({ name }) => name),
  ...apiObjects.map(({ name }) => name),
]);

interface Scope {
  names: Set<string>;
  outer: Scope | null;
}

const knows = (scope: Scope | null, name: string): boolean =>
  scope !== null && (scope.names.has(name) || knows(scope.outer, name));

/** Names that a declaration's pattern binds. */
export function boundNames(pattern: unknown): string[] {
  if (!isTree(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name as string];
    case 'MemberExpression':
      return [];
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'Property':
      return boundNames(pattern.value);
    default:
      return childrenOf(pattern).flatMap(boundNames);
  }
}

const declared = (declaration: Tree) =>
  (declaration.declarations as Tree[]).flatMap((declarator) => boundNames(declarator.id));

/** `var` names anywhere in a function's body, not in functions inside it. */
function varNames(tree: Tree): string[] {
  if (isFunction(tree)) return [];
  const own = tree.type === 'VariableDeclaration' && tree.kind === 'var' ? declared(tree) : [];
  return [...own, ...childrenOf(tree).flatMap(varNames)];
}

/** Names that statements bind in their own block. */
function blockNames(statements: readonly Tree[]): string[] {
  return statements.flatMap((statement) => {
    if (statement.type === 'VariableDeclaration') return declared(statement);
    if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration')
      return boundNames(statement.id);
    return [];
  });
}

function scopeOf(tree: Tree, outer: Scope): Scope {
  const inner = (names: string[]): Scope => ({ names: new Set(names), outer });
  if (isFunction(tree)) {
    const own = tree.type === 'FunctionExpression' ? boundNames(tree.id) : [];
    const params = (tree.params as Tree[]).flatMap(boundNames);
    const hidden = tree.type === 'ArrowFunctionExpression' ? [] : ['arguments'];
    return inner([...own, ...params, ...hidden, ...varNames(tree.body as Tree)]);
  }
  switch (tree.type) {
    case 'BlockStatement':
    case 'StaticBlock':
      return inner(blockNames(tree.body as Tree[]));
    case 'ForStatement':
      return inner(blockNames([tree.init].filter(isTree)));
    case 'ForInStatement':
    case 'ForOfStatement':
      return inner(blockNames([tree.left].filter(isTree)));
    case 'SwitchStatement':
      return inner(blockNames((tree.cases as Tree[]).flatMap((branch) => branch.consequent as Tree[])));
    case 'CatchClause':
      return inner(boundNames(tree.param));
    case 'ClassExpression':
      return inner(boundNames(tree.id));
    default:
      return outer;
  }
}

/** Children that can hold references: keys and labels are names of another kind. */
function referring(tree: Tree): Tree[] {
  switch (tree.type) {
    case 'MemberExpression':
      return [tree.object, tree.computed === true ? tree.property : null].filter(isTree);
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return [tree.computed === true ? tree.key : null, tree.value].filter(isTree);
    case 'LabeledStatement':
      return [tree.body].filter(isTree);
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
      return [];
    default:
      return childrenOf(tree);
  }
}

/** Calls `visit` for every node with a test of whether a name means the language's global there. */
export function walkScopes(program: Tree, visit: (tree: Tree, isGlobal: (name: string) => boolean) => void): void {
  const top: Scope = { names: new Set([...blockNames(program.body as Tree[]), ...varNames(program)]), outer: null };
  const walk = (tree: Tree, scope: Scope): void => {
    const inner = scopeOf(tree, scope);
    visit(tree, (name) => !knows(inner, name));
    for (const child of referring(tree)) walk(child, inner);
  };
  for (const statement of program.body as Tree[]) walk(statement, top);
}
