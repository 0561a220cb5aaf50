/** A structure or an execution as an SVG file of its own: the dashboard's graph with its colours, light and dark, inside. */
import { structureGraph, traceGraph } from '../dashboard/charts/structure-graph.ts';
import type { Html } from '../dashboard/html.ts';
import type { DesignStructure } from '../../shared/script/structure.ts';
import type { StructureTrace } from '../../shared/script/trace.ts';

const style = `
svg { --back: #fff; --raised: #f5f6f8; --line: #d5d9e0; --text: #1b1f27; --soft: #535b69; --bad: #a81c1c; --agent: #dfeaf9; --group: #f9ecd8; background: var(--back); font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --back: #14171c; --raised: #1e232b; --line: #39414d; --text: #e7eaf0; --soft: #a8b1c0; --bad: #ff9a94; --agent: #1d2c44; --group: #3a2e1a; } }
text { font-size: 11px; fill: var(--soft); }
.node rect { fill: var(--raised); stroke: var(--line); }
.agent rect { fill: var(--agent); }
.group rect { fill: var(--group); }
.result rect { fill: var(--back); stroke: var(--text); }
.failed rect { stroke: var(--bad); stroke-width: 1.6; }
.first { font-weight: 600; fill: var(--text); }
.edge { fill: none; stroke: var(--soft); stroke-width: 1.2; }
.edge.part { stroke-dasharray: 3 3; }
marker path { fill: var(--soft); }
`;
const nothing = '<svg viewBox="0 0 90 30" width="90"><text x="8" y="20">no nodes</text></svg>';

function standalone({ markup }: Html): string {
  const drawn = markup.startsWith('<svg') ? markup : nothing;
  return drawn.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"').replace('>', `><style>${style}</style>`);
}

export const structureSvg = (structure: DesignStructure): string => standalone(structureGraph(structure, Infinity));
export const traceSvg = (trace: StructureTrace): string => standalone(traceGraph(trace, new Map(), Infinity));
