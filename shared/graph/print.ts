/** A graph as text, one node a line, for reading and for messages. */
import { showShape } from './dims.ts';
import { neededNodes, type Value } from './graph.ts';

/** `%3 = gemm(%1, %2) {transB: true} : [B*T, 64]` for each node that `outputs` need, then the outputs. */
export function printGraph(outputs: Readonly<Record<string, Value>>): string {
  const lines = neededNodes(Object.values(outputs)).map((node) => {
    const attributes = Object.entries(node.attributes as Record<string, unknown>)
      .filter(([key]) => key !== 'type')
      .map(([key, value]) => `${key}: ${show(value)}`);
    const types = node.outputs.map(
      (output) => `${output.dtype === 'float32' ? '' : `${output.dtype} `}${showShape(output.shape)}`,
    );
    return `%${node.id} = ${node.op}(${node.inputs.map(nameOf).join(', ')})${attributes.length ? ` {${attributes.join(', ')}}` : ''} : ${types.join(', ')}`;
  });
  return [...lines, ...Object.entries(outputs).map(([name, value]) => `${name} = ${nameOf(value)}`)].join('\n');
}

function nameOf(value: Value): string {
  return `%${value.node.id}${value.index > 0 ? `.${value.index}` : ''}`;
}

function show(value: unknown): string {
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const entries = Array.from(value as ArrayLike<unknown>);
    return `[${entries.slice(0, 8).join(', ')}${entries.length > 8 ? `, ... ${entries.length} in all` : ''}]`;
  }
  return String(value);
}
