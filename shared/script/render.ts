/** A design's structure for the reader: as indented text and as a Mermaid flowchart, from the script or from a trace. */
import type { DesignStructure, StructureNode } from './structure.ts';
import type { StructureTrace, TracedNode } from './trace.ts';

const labelOf = (node: StructureNode) => {
  const settings = Object.entries(node.settings).map(([name, value]) => `${name} ${value}`);
  const shown = node.name ?? (node.prompt === null || node.prompt === '' ? null : `'${node.prompt}'`);
  return [node.kind, shown, settings.length === 0 ? null : `(${settings.join(', ')})`]
    .filter((part) => part !== null)
    .join(' ');
};

/** One line a node, indented by what it is part of; then data flow and loops. */
export function renderStructureText({ nodes, edges, loops }: DesignStructure): string {
  const lines: string[] = [];
  const write = (node: StructureNode, depth: number): void => {
    const role = node.role === null ? '' : `${node.role}: `;
    const control = node.control === null ? '' : ` [${node.control === 'loop' ? 'repeated' : 'on a branch'}]`;
    lines.push(`${'  '.repeat(depth)}${role}${labelOf(node)} (${node.id}, line ${node.line})${control}`);
    for (const child of nodes) if (child.parent === node.id) write(child, depth + 1);
  };
  for (const node of nodes) if (node.parent === null) write(node, 0);
  for (const { from, to, label } of edges) lines.push(`${from} -> ${to}${label === 'result' ? '' : `: ${label}`}`);
  for (const { kind, line, bound } of loops) {
    lines.push(
      `loop at line ${line}: ${kind}, ${bound === null ? 'bound not in the text' : `at most ${bound} turn${bound === 1 ? '' : 's'}`}`,
    );
  }
  return lines.join('\n');
}

/** Text that cannot end a Mermaid label early. */
const quoted = (text: string) =>
  `"${text
    .replace(/[\r\n]+/g, ' ')
    .replace(/&/g, '#amp;')
    .replace(/"/g, '#quot;')
    .replace(/</g, '#lt;')
    .replace(/>/g, '#gt;')
    .replace(/`/g, "'")}"`;

export function renderStructureMermaid({ nodes, edges }: DesignStructure): string {
  const lines = ['flowchart TD'];
  const write = (node: StructureNode, depth: number): void => {
    const indent = '  '.repeat(depth);
    const children = nodes.filter((child) => child.parent === node.id);
    const role = node.role === null || node.role === 'members' ? '' : `${node.role}: `;
    if (children.length === 0) {
      lines.push(`${indent}${node.id}(${quoted(role + labelOf(node))})`);
      return;
    }
    lines.push(`${indent}subgraph ${node.id}[${quoted(role + labelOf(node))}]`);
    for (const child of children) write(child, depth + 1);
    lines.push(`${indent}end`);
  };
  for (const node of nodes) if (node.parent === null) write(node, 1);
  if (edges.some(({ to }) => to === 'result')) lines.push('  result((result))');
  for (const { from, to, label } of edges) {
    lines.push(`  ${from} -->${label === 'result' ? '' : `|${label}|`} ${to}`);
  }
  return lines.join('\n');
}

interface TraceTree {
  path: string;
  node: TracedNode | null;
  calls: number;
  children: Map<string, TraceTree>;
}

/** Node paths are folders: `debate-1/round-2/debater-1`. */
function treeOf({ nodes, calls }: StructureTrace): TraceTree {
  const root: TraceTree = { path: '', node: null, calls: 0, children: new Map() };
  const find = (path: string) => {
    let at = root;
    for (const segment of path.split('/')) {
      const next = at.children.get(segment) ?? {
        path: at.path === '' ? segment : `${at.path}/${segment}`,
        node: null,
        calls: 0,
        children: new Map<string, TraceTree>(),
      };
      at.children.set(segment, next);
      at = next;
    }
    return at;
  };
  for (const { nodePath } of calls) find(nodePath).calls += 1;
  for (const node of nodes) find(node.nodePath).node = node;
  return root;
}

const traceLabel = (tree: TraceTree, segment: string) => {
  const { node, calls } = tree;
  const parts = [segment];
  if (node !== null) parts.push(node.kind === 'agent' ? node.name : `${node.kind} ${node.name}`);
  if (node !== null && node.status !== 'ok') parts.push(node.status);
  if (calls > 0) parts.push(`${calls} call${calls === 1 ? '' : 's'}`);
  return parts.join(' · ');
};

/** The execution as an indented tree, with what each node decided. */
export function renderTraceText(trace: StructureTrace): string {
  const lines: string[] = [];
  const write = (tree: TraceTree, depth: number): void => {
    for (const [segment, child] of tree.children) {
      const detail = child.node === null || child.node.detail === null ? '' : ` ${JSON.stringify(child.node.detail)}`;
      lines.push(`${'  '.repeat(depth)}${traceLabel(child, segment)}${detail}`);
      write(child, depth + 1);
    }
  };
  write(treeOf(trace), 0);
  return lines.join('\n');
}

/** The execution as a flowchart: boxes are what ran, arrows are replies that were shown to another call. */
export function renderTraceMermaid(trace: StructureTrace): string {
  const lines = ['flowchart TD'];
  const ids = new Map<string, string>();
  const idOf = (path: string) => {
    const id = ids.get(path) ?? `t${ids.size + 1}`;
    ids.set(path, id);
    return id;
  };
  const write = (tree: TraceTree, depth: number): void => {
    for (const [segment, child] of tree.children) {
      const indent = '  '.repeat(depth);
      const label = quoted(traceLabel(child, segment));
      if (child.children.size === 0) lines.push(`${indent}${idOf(child.path)}(${label})`);
      else {
        lines.push(`${indent}subgraph ${idOf(child.path)}[${label}]`);
        write(child, depth + 1);
        lines.push(`${indent}end`);
      }
    }
  };
  write(treeOf(trace), 1);
  const arrows = new Set<string>();
  for (const { nodePath, from } of trace.calls) {
    for (const source of from) {
      if (ids.has(source) && source !== nodePath) arrows.add(`  ${idOf(source)} --> ${idOf(nodePath)}`);
    }
  }
  return [...lines, ...arrows].join('\n');
}
