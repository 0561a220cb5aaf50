/**
 * The shape of a design as its text shows it: agents, the nodes around them, data flow, loops. Read without running, so
 * it is an approximation where nodes are made by functions or in loops (marked `control`). The traced shape of one
 * execution is exact; see `trace.ts`.
 */
import { apiBuilders, type ApiBuilder } from './api.ts';
import { childrenOf, isFunction, isTree, type Tree } from './scope.ts';

export interface StructureNode {
  /** `n1`, `n2`, ... in the order of the text. */
  id: string;
  /** A builder's name. */
  kind: string;
  name: string | null;
  /** First words of an agent's prompt, where it is written as text. */
  prompt: string | null;
  line: number;
  /** The node that it is part of, and as what (`members`, `judge`, ...). */
  parent: string | null;
  role: string | null;
  /** Options given as numbers or words. */
  settings: Readonly<Record<string, string | number>>;
  /** Made inside a loop or callback, or only on one branch. */
  control: 'loop' | 'branch' | null;
}

export interface StructureEdge {
  from: string;
  /** A node id, or `result`. */
  to: string;
  label: string;
}

export interface StructureLoop {
  kind: string;
  line: number;
  /** Turns at most, where the text says so. */
  bound: number | null;
}

export interface DesignStructure {
  nodes: readonly StructureNode[];
  edges: readonly StructureEdge[];
  loops: readonly StructureLoop[];
}

const promptShown = 60;
/** Turns at most of nodes that repeat, unless told. */
const repeating: Record<string, { option: string; bound: number }> = {
  debate: { option: 'rounds', bound: 2 },
  reflect: { option: 'rounds', bound: 2 },
  loop: { option: 'max', bound: 3 },
};
const builders = new Map(apiBuilders.map((builder) => [builder.name, builder]));
const loopStatements = /^(For|ForIn|ForOf|While|DoWhile)Statement$/;

interface Place {
  parent: string | null;
  role: string | null;
  control: StructureNode['control'];
}
const outside: Place = { parent: null, role: null, control: null };

export function staticStructure(program: Tree): DesignStructure {
  const reader = new Reader();
  for (const statement of program.body as Tree[]) reader.statement(statement, outside);
  return { nodes: reader.nodes, edges: reader.edges, loops: reader.loops };
}

class Reader {
  readonly nodes: StructureNode[] = [];
  readonly edges: StructureEdge[] = [];
  readonly loops: StructureLoop[] = [];
  /** What a name may stand for. */
  private readonly named = new Map<string, string[]>();

  statement(tree: Tree, place: Place): void {
    if (tree.type === 'ReturnStatement') {
      if (isTree(tree.argument))
        for (const from of this.value(tree.argument, place)) this.edge(from, 'result', 'result');
    } else if (loopStatements.test(tree.type)) {
      this.loops.push({ kind: tree.type.replace('Statement', '').toLowerCase(), line: lineOf(tree), bound: null });
      this.inner(tree, { ...place, control: 'loop' });
    } else if (tree.type === 'IfStatement' || tree.type === 'SwitchStatement') {
      this.inner(tree, { ...place, control: place.control ?? 'branch' });
    } else if (tree.type === 'VariableDeclaration') {
      for (const declarator of tree.declarations as Tree[]) this.bind(declarator.id as Tree, declarator.init, place);
    } else if (tree.type === 'FunctionDeclaration') {
      this.named.set((tree.id as { name: string }).name, this.value(tree, place));
    } else if (tree.type === 'ExpressionStatement') this.value(tree.expression as Tree, place);
    else this.inner(tree, place);
  }

  private inner(tree: Tree, place: Place): void {
    for (const child of childrenOf(tree)) {
      if (/Statement$|Declaration$|SwitchCase|CatchClause/.test(child.type)) this.statement(child, place);
      else this.value(child, place);
    }
  }

  private bind(pattern: Tree, init: unknown, place: Place): void {
    const values = isTree(init) ? this.value(init, place) : [];
    if (pattern.type === 'Identifier') this.named.set(pattern.name as string, values);
    if (pattern.type !== 'ArrayPattern') return;
    const parts = pattern.elements as (Tree | null)[];
    parts.forEach((part, i) => {
      if (part?.type !== 'Identifier') return;
      const own = values.length === parts.length ? [values[i]!] : values;
      this.named.set(part.name as string, own);
    });
  }

  /** Ids of the nodes that an expression's value may be, or may hold. */
  private value(tree: Tree, place: Place): string[] {
    if (isFunction(tree)) return this.body(tree, { ...place, control: 'loop' });
    switch (tree.type) {
      case 'Identifier':
        return (this.named.get(tree.name as string) ?? []).map((id) => this.attach(id, place));
      case 'AssignmentExpression': {
        const left = tree.left as Tree;
        const values = this.value(tree.right as Tree, place);
        if (left.type === 'Identifier') {
          this.named.set(left.name as string, [...(this.named.get(left.name as string) ?? []), ...values]);
        }
        return values;
      }
      case 'ConditionalExpression': {
        this.value(tree.test as Tree, outside);
        const branch: Place = { ...place, control: place.control ?? 'branch' };
        return [tree.consequent, tree.alternate].flatMap((side) => this.value(side as Tree, branch));
      }
      case 'MemberExpression':
        return this.value(tree.object as Tree, outside);
      case 'CallExpression':
        return this.call(tree, place);
      default:
        return childrenOf(tree).flatMap((child) => this.value(child, place));
    }
  }

  private body(tree: Tree, place: Place): string[] {
    const body = tree.body as Tree;
    if (body.type !== 'BlockStatement') return this.value(body, place);
    const before = this.edges.length;
    for (const statement of body.body as Tree[]) this.statement(statement, place);
    // What a function returns is its value, not the design's result.
    const returned = this.edges.splice(before);
    this.edges.push(...returned.filter(({ to }) => to !== 'result'));
    return returned.filter(({ to }) => to === 'result').map(({ from }) => from);
  }

  private call(tree: Tree, place: Place): string[] {
    const callee = tree.callee as Tree;
    const args = tree.arguments as Tree[];
    if (callee.type === 'Identifier') {
      const builder = builders.get(callee.name as string);
      if (builder !== undefined && !this.named.has(builder.name)) return [this.node(builder, tree, args, place)];
    }
    if (callee.type === 'MemberExpression' && (callee.property as Tree).name === 'run') {
      const ran = this.value(callee.object as Tree, place);
      for (const to of ran) for (const from of this.values(args)) this.edge(from, to, 'input');
      return ran;
    }
    const held =
      callee.type === 'MemberExpression' ? this.value(callee.object as Tree, place) : this.value(callee, place);
    return [...held, ...args.flatMap((arg) => this.value(arg, place))];
  }

  private values = (trees: readonly Tree[]) => trees.flatMap((tree) => this.value(tree, outside));

  private node(builder: ApiBuilder, tree: Tree, args: Tree[], place: Place): string {
    const options = optionsOf(builder, args);
    const id = `n${this.nodes.length + 1}`;
    const settings: Record<string, string | number> = {};
    for (const [name, value] of options) {
      const plain = value.type === 'Literal' ? value.value : undefined;
      const known = builder.options.find((option) => option.name === name)?.type;
      if ((known === 'count' || known === 'strategy' || known === 'default') && plain !== undefined) {
        settings[name] = plain as string | number;
      }
    }
    const name = textOf(options.get('name'));
    const prompt = textOf(options.get('prompt'))?.slice(0, promptShown) ?? null;
    this.nodes.push({ id, kind: builder.name, name, prompt, line: lineOf(tree), ...place, settings });
    const repeat = repeating[builder.name];
    if (repeat !== undefined) {
      const bound = settings[repeat.option];
      this.loops.push({
        kind: builder.name,
        line: lineOf(tree),
        bound: typeof bound === 'number' ? bound : options.has(repeat.option) ? null : repeat.bound,
      });
    }
    this.parts(builder, id, options);
    return id;
  }

  private parts(builder: ApiBuilder, id: string, options: ReadonlyMap<string, Tree>): void {
    const made = new Map<string, string[]>();
    for (const { name, type } of builder.options) {
      const value = options.get(name);
      if (value === undefined) continue;
      if (type === 'node' || type === 'nodes' || type === 'chooser' || type === 'condition' || type === 'routes') {
        made.set(name, this.members(value, { parent: id, role: name, control: null }));
      } else for (const from of this.values([value])) this.edge(from, id, name);
    }
    const part = (name: string) => made.get(name) ?? [];
    const each = (from: string[], to: string[], label: string) => {
      for (const source of from) for (const target of to) this.edge(source, target, label);
    };
    if (builder.name === 'sequence') {
      const steps = part('steps');
      steps.slice(1).forEach((step, i) => this.edge(steps[i]!, step, 'next'));
    }
    each([...part('members'), ...part('debaters')], part('judge'), 'judged by');
    each(part('agent'), part('critic'), 'draft');
    each(part('critic'), part('agent'), 'review');
    each(part('by'), part('routes'), 'route');
  }

  /** Like `value`, where a text stands for an agent. */
  private members(tree: Tree, place: Place): string[] {
    if (tree.type === 'ArrayExpression') {
      return (tree.elements as (Tree | null)[]).flatMap((item) => (item === null ? [] : this.members(item, place)));
    }
    if (tree.type === 'ObjectExpression') {
      return (tree.properties as Tree[]).flatMap((item) => (isTree(item.value) ? this.members(item.value, place) : []));
    }
    const prompt = textOf(tree);
    if (prompt === null) return this.value(tree, place);
    const id = `n${this.nodes.length + 1}`;
    const shown = prompt.slice(0, promptShown);
    this.nodes.push({ id, kind: 'agent', name: null, prompt: shown, line: lineOf(tree), ...place, settings: {} });
    return [id];
  }

  /** A named node becomes part of the first node that uses it; further uses are edges. */
  private attach(id: string, place: Place): string {
    if (place.parent === null || place.parent === id) return id;
    const index = this.nodes.findIndex((node) => node.id === id);
    const node = this.nodes[index]!;
    if (node.parent === null) this.nodes[index] = { ...node, parent: place.parent, role: place.role };
    else if (node.parent !== place.parent) this.edge(id, place.parent, place.role ?? 'part');
    return id;
  }

  private edge(from: string, to: string, label: string): void {
    if (from === to) return;
    if (this.edges.some((edge) => edge.from === from && edge.to === to && edge.label === label)) return;
    this.edges.push({ from, to, label });
  }
}

const lineOf = (tree: Tree) => tree.loc?.start.line ?? 0;

function textOf(tree: Tree | undefined): string | null {
  if (tree?.type === 'Literal' && typeof tree.value === 'string') return tree.value;
  if (tree?.type === 'TemplateLiteral') {
    return (tree.quasis as { value: { raw: string } }[]).map(({ value }) => value.raw).join('…');
  }
  return null;
}

/** The written options of a builder call, its short forms resolved as in the isolate. */
function optionsOf(builder: ApiBuilder, args: readonly Tree[]): Map<string, Tree> {
  const options = new Map<string, Tree>();
  const [first, second] = args;
  if (first === undefined) return options;
  if (first.type === 'ObjectExpression') {
    for (const property of first.properties as Tree[]) {
      const key = property.key as Tree | undefined;
      if (key !== undefined && isTree(property.value)) options.set(String(key.name ?? key.value), property.value);
    }
  } else if (builder.shorthand !== null) {
    const takesList = builder.options.some(({ name, type }) => name === builder.shorthand && type === 'nodes');
    const spread = takesList && args.length > 1 && !(second!.type === 'Literal' && typeof second!.value === 'number');
    if (spread) {
      options.set(builder.shorthand, {
        type: 'ArrayExpression',
        elements: args,
        start: 0,
        end: 0,
        loc: first.loc,
      });
      return options;
    }
    options.set(builder.shorthand, first);
  }
  if (second !== undefined && builder.second !== null) options.set(builder.second, second);
  return options;
}
