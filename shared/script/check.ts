/**
 * Judges a script's text before it costs anything: parse (acorn), then static checks with line and column. What only
 * running can show is the dry run's part. Pure: the same text always gets the same verdict.
 */
import { parse, type Program } from 'acorn';
import { apiBuilders, knownTools, largestCount, type ApiBuilder } from './api.ts';
import { endlessParts } from './bounds.ts';
import { defaultScriptLimits, type ScriptLimits } from './limits.ts';
import type { DesignOutcome, ScriptProblem } from './outcomes.ts';
import { childrenOf, globalNames, isFunction, isTree, walkScopes, type Tree } from './scope.ts';
import { staticStructure, type DesignStructure } from './structure.ts';

export interface DesignProblem extends ScriptProblem {
  outcome: DesignOutcome;
}

export interface ScriptCheck {
  /** `valid`, or the outcome of the first problem. */
  outcome: DesignOutcome;
  /** In the order of the script. */
  problems: readonly DesignProblem[];
  /** Null when the script does not parse. */
  structure: DesignStructure | null;
}

export interface CheckOptions {
  limits?: Partial<ScriptLimits>;
  /** Tools that the design may use; none unless told. */
  tools?: readonly string[];
}

const forbidden: Record<string, string> = {
  ImportDeclaration: 'import is not part of the language',
  ImportExpression: 'import() is not part of the language',
  ExportNamedDeclaration: 'export is not part of the language: end with return',
  ExportDefaultDeclaration: 'export is not part of the language: end with return',
  ExportAllDeclaration: 'export is not part of the language',
  'import.meta': 'import.meta is not part of the language',
  DebuggerStatement: 'debugger is not part of the language',
};

/** A node's type; `import.meta` and `new.target` share one. */
const syntaxOf = (tree: Tree) =>
  tree.type === 'MetaProperty' ? [tree.meta, tree.property].map((part) => (part as Tree).name).join('.') : tree.type;

/** Parses a script the way the isolate runs it: a strict async function body. Throws acorn's error. */
export function parseScript(source: string): Program {
  return parse(source, {
    ecmaVersion: 2024,
    sourceType: 'module',
    allowReturnOutsideFunction: true,
    locations: true,
  });
}

const at = (tree: Tree) => ({
  line: tree.loc?.start.line ?? null,
  column: tree.loc ? tree.loc.start.column + 1 : null,
});

/** Checks one script. Never throws on a script's text. */
export function checkScript(source: string, options: CheckOptions = {}): ScriptCheck {
  const limits = { ...defaultScriptLimits, ...options.limits };
  if (source.length > limits.scriptChars) {
    const message = `the script has ${source.length} characters; at most ${limits.scriptChars}`;
    return {
      outcome: 'script-too-long',
      problems: [{ outcome: 'script-too-long', message, line: null, column: null }],
      structure: null,
    };
  }
  let program: Tree;
  try {
    program = parseScript(source) as unknown as Tree;
  } catch (error) {
    const problem = syntaxProblem(error);
    return { outcome: 'syntax-error', problems: [problem], structure: null };
  }
  const problems: DesignProblem[] = [];
  const report = (outcome: DesignOutcome, tree: Tree, message: string) =>
    problems.push({ outcome, message, ...at(tree) });
  checkNames(program, options.tools ?? [], limits, report);
  for (const { tree, message } of endlessParts(program)) report('unbounded-design', tree, message);
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  if (!returnsValue(program)) problems.push(missingReturn(program));
  return { outcome: problems[0]?.outcome ?? 'valid', problems, structure: staticStructure(program) };
}

function syntaxProblem(error: unknown): DesignProblem {
  const { message, loc } = error as { message?: string; loc?: { line: number; column: number } };
  return {
    outcome: 'syntax-error',
    message: String(message ?? error).replace(/ \(\d+:\d+\)$/, ''),
    line: loc?.line ?? null,
    column: loc === undefined ? null : loc.column + 1,
  };
}

type Report = (outcome: DesignOutcome, tree: Tree, message: string) => void;

function checkNames(program: Tree, tools: readonly string[], limits: ScriptLimits, report: Report): void {
  const reported = new Set<string>();
  const names = new Map(apiBuilders.map((builder) => [builder.name, builder]));
  walkScopes(program, (tree, isGlobal) => {
    const rule = forbidden[syntaxOf(tree)];
    if (rule !== undefined) report('forbidden-syntax', tree, rule);
    if (tree.type === 'Identifier' && isGlobal(tree.name as string)) {
      const name = tree.name as string;
      if (!globalNames.has(name) && !reported.has(name)) {
        reported.add(name);
        report('unknown-name', tree, `'${name}' is not defined`);
      }
    }
    const length = literalLength(tree);
    if (length > limits.literalChars) {
      report('literal-too-long', tree, `a text of ${length} characters; at most ${limits.literalChars}`);
    }
    if (tree.type === 'MemberExpression') checkTool(tree, tools, isGlobal, report);
    if (tree.type === 'CallExpression' && isTree(tree.callee) && tree.callee.type === 'Identifier') {
      const builder = names.get(tree.callee.name as string);
      if (builder !== undefined && isGlobal(builder.name)) checkCall(tree, builder, tools, report);
    }
  });
}

function literalLength(tree: Tree): number {
  if (tree.type === 'Literal' && typeof tree.value === 'string') return tree.value.length;
  if (tree.type === 'TemplateElement') return (tree.value as { raw: string }).raw.length;
  return 0;
}

function checkTool(tree: Tree, tools: readonly string[], isGlobal: (name: string) => boolean, report: Report): void {
  const object = tree.object as Tree;
  if (tree.computed === true || object.type !== 'Identifier' || object.name !== 'tools' || !isGlobal('tools')) return;
  const name = (tree.property as Tree).name as string;
  if (tools.includes(name)) return;
  const known = (knownTools as readonly string[]).includes(name);
  const message = `the tool '${name}' ${known ? 'is not granted' : 'does not exist'}; granted: ${tools.join(', ') || 'none'}`;
  report('unknown-name', tree, message);
}

/** An argument that is an object literal is checked against the table; anything else only running can check. */
function checkCall(tree: Tree, builder: ApiBuilder, tools: readonly string[], report: Report): void {
  const args = tree.arguments as Tree[];
  const [first] = args;
  const isObject = first?.type === 'ObjectExpression';
  if (!isObject) {
    const needed = builder.options.find(({ required }) => required);
    if (args.length === 0 && needed !== undefined)
      report('bad-argument', tree, `${builder.name}: ${needed.name} is missing`);
    else if (args.length > 0 && builder.shorthand === null && isPlainValue(first!)) {
      report('bad-argument', first!, `${builder.name} takes an object of options: ${builder.signature}`);
    }
    return;
  }
  const properties = first.properties as Tree[];
  const given = new Map<string, Tree>();
  for (const property of properties) {
    if (property.type !== 'Property' || property.computed === true) return;
    given.set(keyOf(property), property);
  }
  const takes = builder.options.map(({ name }) => name);
  for (const [name, property] of given) {
    if (takes.includes(name)) checkValue(builder, name, property.value as Tree, tools, report);
    else report('bad-argument', property, `${builder.name} has no option '${name}'; it takes ${takes.join(', ')}`);
  }
  for (const { name, required } of builder.options) {
    if (required && !given.has(name)) report('bad-argument', tree, `${builder.name}: ${name} is missing`);
  }
}

const keyOf = (property: Tree) => {
  const key = property.key as Tree;
  return String(key.type === 'Identifier' ? key.name : key.value);
};
const isPlainValue = (tree: Tree) => ['Literal', 'TemplateLiteral', 'ArrayExpression'].includes(tree.type);

function checkValue(builder: ApiBuilder, name: string, value: Tree, tools: readonly string[], report: Report): void {
  const option = builder.options.find((known) => known.name === name)!;
  if (option.type === 'count' && value.type === 'Literal') {
    const count = value.value;
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > largestCount) {
      const message = `${builder.name}: ${name} must be a whole number from 1 to ${largestCount}; got ${String(value.raw)}`;
      report('bad-argument', value, message);
    }
  }
  if (option.type === 'names') {
    const items = value.type === 'ArrayExpression' ? (value.elements as (Tree | null)[]) : [value];
    for (const item of items) {
      if (item?.type === 'Literal' && !tools.includes(String(item.value))) {
        const message = `the tool '${String(item.value)}' is not granted; granted: ${tools.join(', ') || 'none'}`;
        report('bad-argument', item, message);
      }
    }
  }
}

/** Whether the script's own body returns a value somewhere. */
const returnsValue = (tree: Tree): boolean =>
  (tree.type === 'ReturnStatement' && tree.argument !== null) ||
  childrenOf(tree).some((child) => !isFunction(child) && returnsValue(child));

function missingReturn(program: Tree): DesignProblem {
  const last = (program.body as Tree[]).at(-1);
  const hint = last?.type === 'ExpressionStatement' ? "write 'return' before the last expression" : 'end with return';
  const place = last === undefined ? { line: null, column: null } : at(last);
  return { outcome: 'missing-return', message: `the script returns nothing: ${hint}`, ...place };
}
