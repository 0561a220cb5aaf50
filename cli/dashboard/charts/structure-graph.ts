/** A design's structure, and an execution as it ran, as graphs. */
import type { DesignStructure, StructureNode } from '../../../shared/script/structure.ts';
import type { StructureTrace } from '../../../shared/script/trace.ts';
import type { Html } from '../html.ts';
import { clip } from '../../view/numbers.ts';
import { graphView } from './graph.ts';
import type { GraphEdge, GraphNode } from './graph.ts';

/** Names and prompts are a model's; a title is for a glance. */
const titleShown = 300;

const settingsOf = ({ settings, control }: StructureNode) =>
  [...Object.entries(settings).map(([name, value]) => `${name} ${value}`), control === 'loop' ? 'repeated' : control]
    .filter((text) => text !== null)
    .join(', ');

/** Dashed: is part of. Solid: what one said, the other sees. `most`: nodes drawn at most. */
export function structureGraph({ nodes, edges }: DesignStructure, most?: number): Html {
  const boxes: GraphNode[] = nodes.map((node) => {
    const said = node.name ?? node.prompt ?? '';
    const settings = settingsOf(node);
    return {
      id: node.id,
      kind: node.kind === 'agent' ? 'agent' : 'group',
      lines: [node.kind, said, settings].filter((text) => text !== ''),
      title: clip(`${node.kind} ${said} ${settings} (line ${node.line})`, titleShown),
    };
  });
  if (edges.some(({ to }) => to === 'result')) {
    boxes.push({ id: 'result', kind: 'result', lines: ['result'], title: 'what the design returns' });
  }
  const parts: GraphEdge[] = nodes
    .filter(({ parent }) => parent !== null)
    .map(({ id, parent, role }) => ({ from: id, to: parent!, label: role ?? '', kind: 'part' }));
  const flows: GraphEdge[] = edges.map(({ from, to, label }) => ({
    from,
    to,
    label: label === 'result' ? '' : label,
    kind: 'flow',
  }));
  return graphView('structure of the design', boxes, [...parts, ...flows], most);
}

/** Calls in the order of asking; an arrow where a call was shown another's reply. `hrefs` by call number. */
export function traceGraph({ nodes, calls }: StructureTrace, hrefs: ReadonlyMap<number, string>, most?: number): Html {
  const boxes: GraphNode[] = calls.map(({ call, agentName, nodePath, status }) => {
    const href = hrefs.get(call);
    return {
      id: String(call),
      kind: status === 'ok' ? 'agent' : 'failed',
      lines: [`${call} ${agentName}`, nodePath, ...(status === 'ok' ? [] : [status ?? 'unanswered'])],
      title: clip(`call ${call}: ${agentName} at ${nodePath}, ${status ?? 'unanswered'}`, titleShown),
      ...(href === undefined ? {} : { href }),
    };
  });
  /** The last call at or under a node path before `call`. */
  const sourceOf = (path: string, before: number) =>
    calls.findLast(({ nodePath, call }) => call < before && (nodePath === path || nodePath.startsWith(`${path}/`)));
  const edges = calls.flatMap(({ call, from }): GraphEdge[] =>
    from.flatMap((path) => {
      const source = sourceOf(path, call);
      return source === undefined ? [] : [{ from: String(source.call), to: String(call), label: '', kind: 'flow' }];
    }),
  );
  const decided = nodes
    .filter(({ kind, detail }) => kind !== 'agent' && detail !== null)
    .map(({ nodePath, kind, name, detail, status }): GraphNode => {
      const text = JSON.stringify(detail);
      return {
        id: `node ${nodePath}`,
        kind: status === 'ok' ? 'group' : 'failed',
        lines: [kind, name, text].filter((line) => line !== ''),
        title: clip(`${kind} ${name} at ${nodePath}: ${text}`, titleShown),
      };
    });
  const parts = decided.flatMap(({ id }): GraphEdge[] => {
    const path = id.slice('node '.length);
    const own = calls.filter(({ nodePath }) => nodePath.startsWith(`${path}/`));
    return own.map(({ call }) => ({ from: String(call), to: id, label: '', kind: 'part' }));
  });
  return graphView('calls of the execution', [...boxes, ...decided], [...edges, ...parts], most);
}
