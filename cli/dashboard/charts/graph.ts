/** A directed graph as SVG: boxes in layers (dagre), arrows between them. Knows nothing of what the boxes mean. */
import * as dagre from '@dagrejs/dagre';
import { line } from 'd3-shape';
import { html } from '../html.ts';
import type { Html } from '../html.ts';

export interface GraphNode {
  id: string;
  /** First line in bold; each is cut to what a box holds. */
  lines: readonly string[];
  /** Word of the style sheet: `agent`, `result`, `failed`... */
  kind: string;
  href?: string;
  /** The whole text, for who points at it. */
  title: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  label: string;
  /** `part`: is part of; `flow`: what one says the other sees. */
  kind: 'part' | 'flow';
}

const charactersShown = 26;
const characterWidth = 6.6;
const lineHeight = 15;
/** The part of dagre used here: its own type files name their neighbours without endings, which Node's rules refuse. */
interface LayoutGraph {
  setGraph(label: Record<string, string | number>): void;
  setNode(id: string, label: { width: number; height: number }): void;
  setEdge(from: string, to: string, label: Record<string, string | number>, name: string): void;
  graph(): { width?: number; height?: number };
  node(id: string): Box;
  edge(from: string, to: string, name: string): Placed;
}
const { Graph, layout } = dagre as unknown as {
  Graph: new (options: { multigraph: boolean }) => LayoutGraph;
  layout: (graph: LayoutGraph) => void;
};

/** Layouts of larger graphs take seconds and cannot be read anyway. */
const nodesShown = 120;

const cut = (text: string) => (text.length <= charactersShown ? text : `${text.slice(0, charactersShown - 1)}…`);

/** `most`: nodes drawn at most; the rest are counted below the picture. */
export function graphView(
  name: string,
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  most: number = nodesShown,
): Html {
  if (nodes.length === 0) return html`<p class="none">no nodes</p>`;
  const shown = nodes.slice(0, most);
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 34, marginx: 6, marginy: 6 });
  for (const { id, lines } of shown) {
    const longest = Math.max(...lines.map((text) => cut(text).length));
    graph.setNode(id, { width: longest * characterWidth + 18, height: lines.length * lineHeight + 10 });
  }
  const known = new Set(shown.map(({ id }) => id));
  const drawn = edges.filter(({ from, to }) => known.has(from) && known.has(to));
  drawn.forEach(({ from, to, label }, index) =>
    graph.setEdge(from, to, { width: label.length * characterWidth, height: 12, labelpos: 'c' }, String(index)),
  );
  layout(graph);
  const { width = 100, height = 100 } = graph.graph();
  const path = line<{ x: number; y: number }>()
    .x(({ x }) => x)
    .y(({ y }) => y)
    .digits(1);
  const arrows = drawn.map(({ from, to, label, kind }, index) => {
    const { points, x, y } = graph.edge(from, to, String(index));
    return html`<path class="edge ${kind}" d="${path(points) ?? ''}" marker-end="url(#arrow-${kind})"/>${
      label !== '' &&
      html`<text class="edge-name" x="${x?.toFixed(1)}" y="${y?.toFixed(1)}" text-anchor="middle">${label}</text>`
    }`;
  });
  const rest = nodes.length - shown.length;
  return html`<svg class="graph" viewBox="0 0 ${width.toFixed(0)} ${height.toFixed(0)}" width="${width.toFixed(0)}" role="group" aria-label="${name}"
    >
      <defs>
        ${(['part', 'flow'] as const).map((kind) => html`<marker id="arrow-${kind}" class="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0L8,4L0,8z"/></marker>`)}
      </defs>
      ${arrows}${shown.map((node) => box(node, graph.node(node.id)))}</svg>${rest > 0 && html`<p class="none">and ${rest} more nodes</p>`}`;
}

interface Placed {
  points: { x: number; y: number }[];
  x?: number;
  y?: number;
}
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

function box({ lines, kind, href, title }: GraphNode, { x, y, width, height }: Box): Html {
  const top = y - height / 2;
  const texts = lines.map(
    (text, index) =>
      html`<text class="${index === 0 ? 'first' : 'more'}" x="${x.toFixed(1)}" y="${(top + 16 + index * lineHeight).toFixed(1)}" text-anchor="middle">${cut(text)}</text>`,
  );
  const drawn = html`<g class="node ${kind}"><title>${title}</title><rect x="${(x - width / 2).toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" rx="5"/>${texts}</g>`;
  return href === undefined ? drawn : html`<a href="${href}">${drawn}</a>`;
}
