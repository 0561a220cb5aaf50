/** Writes a graph as an ONNX model: the interface in order, then each needed node by its rule in onnx-rules.ts. */
import { DomainError } from '../errors.ts';
import { inputName, neededNodes, type Node, type Value } from '../graph/graph.ts';
import type { OpName } from '../graph/ops.ts';
import { Emitter } from './emitter.ts';
import { encodeModel, type OnnxPort, type OnnxTensor } from './onnx-model.ts';
import { onnxRules } from './onnx-rules.ts';

/**
 * ONNX bytes of the graph that computes `outputs` from `inputs`. `constants` (by input name) are inputs whose values
 * are written into the model; `marker` names a further first output, an empty sequence. Throws `InvalidInput` if an output needs an input that is in neither.
 */
export function exportOnnx(
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value>>,
  constants: ReadonlyMap<string, Float32Array> = new Map(),
  marker?: string,
): Uint8Array {
  const free = inputs.filter((value) => !constants.has(inputName(value)));
  const emitter = new Emitter(free);
  const names = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs))
    if (value.node.op !== 'input' && !names.has(value)) names.set(value, name);
  const nodes = neededNodes(Object.values(outputs));
  for (const node of nodes) {
    node.outputs.forEach((value) => {
      if (node.op === 'input') names.set(value, known(value, inputs));
      else if (!names.has(value)) names.set(value, emitter.fresh());
    });
    write(node, names, emitter);
  }
  for (const [name, value] of Object.entries(outputs)) {
    if (names.get(value) !== name) emitter.emit('Identity', [names.get(value)!], { outputs: [name] });
  }
  return encodeModel({
    marker,
    nodes: emitter.nodes,
    constants: [...emitter.constants, ...fixed(nodes, constants)],
    inputs: free.map((value) => port(inputName(value), value)),
    outputs: Object.entries(outputs).map(([name, value]) => port(name, value)),
  });
}

const port = (name: string, { dtype, shape }: Value): OnnxPort => ({ name, dtype, shape });

function known(value: Value, inputs: readonly Value[]): string {
  const name = inputName(value);
  if (!inputs.includes(value)) {
    throw new DomainError(
      'InvalidInput',
      `onnx: the outputs need input ${name}, which is not listed; expected all inputs.`,
      { name },
    );
  }
  return name;
}

function fixed(nodes: readonly Node[], constants: ReadonlyMap<string, Float32Array>): OnnxTensor[] {
  return nodes
    .filter((node) => node.op === 'input' && constants.has(inputName(node.outputs[0]!)))
    .map((node) => {
      const value = node.outputs[0]!;
      const name = inputName(value);
      return { name, dtype: value.dtype, shape: value.shape.map(Number), data: constants.get(name)! };
    });
}

function write<K extends OpName>(node: Node<K>, names: ReadonlyMap<Value, string>, emitter: Emitter): void {
  onnxRules[node.op]({
    emitter,
    attributes: node.attributes,
    x: node.inputs.map((value) => names.get(value)!),
    types: node.inputs,
    y: node.outputs.map((value) => names.get(value)!),
    outputTypes: node.outputs,
  });
}
