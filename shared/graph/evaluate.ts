/** Runs a graph by the reference rules, on named tensors in double precision. */
import { DomainError } from '../errors.ts';
import { showShape } from './dims.ts';
import { inputName, neededNodes, type Node, type Value } from './graph.ts';
import type { OpName } from './ops.ts';
import { referenceRules } from './reference-rules.ts';
import { sizeOf, type Tensor } from './reference-tensor.ts';

/**
 * The values of `outputs` when each input is `feeds[name]`. Throws `ShapeMismatch` if a feed is missing or does not fit
 * the input's declared shape.
 */
export function evaluate(outputs: readonly Value[], feeds: Readonly<Record<string, Tensor>>): Tensor[] {
  const nodes = neededNodes(outputs);
  const dims = new Map<string, number>();
  for (const node of nodes) if (node.op === 'input') bind(node.outputs[0]!, feeds, dims);
  const values = new Map<Node, readonly Tensor[]>();
  for (const node of nodes) {
    const inputs = node.inputs.map((input) => values.get(input.node)![input.index]!);
    values.set(node, node.op === 'input' ? [feeds[inputName(node.outputs[0]!)]!] : run(node, inputs, dims));
  }
  return outputs.map((output) => values.get(output.node)![output.index]!);
}

function run<K extends OpName>(
  node: Node<K>,
  inputs: readonly Tensor[],
  dims: ReadonlyMap<string, number>,
): readonly Tensor[] {
  return referenceRules[node.op](inputs, node.attributes, dims);
}

function bind(value: Value, feeds: Readonly<Record<string, Tensor>>, dims: Map<string, number>): void {
  const name = inputName(value);
  const feed = feeds[name];
  const fits =
    feed?.shape.length === value.shape.length &&
    feed.data.length === sizeOf(feed.shape) &&
    value.shape.every((dim, axis) => {
      const size = feed.shape[axis]!;
      if (typeof dim === 'number') return dim === size;
      if (!dims.has(dim)) dims.set(dim, size);
      return dims.get(dim) === size;
    });
  if (!fits) {
    throw new DomainError(
      'ShapeMismatch',
      `evaluate: input ${name} got ${feed ? showShape(feed.shape) : 'nothing'}; expected ${showShape(value.shape)}. Feed every input in its declared shape.`,
      { name },
    );
  }
}
