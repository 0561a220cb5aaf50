/** Writes a graph as an ONNX model: the interface in order, then each needed node by its rule in onnx-rules.ts. */
import { DomainError } from '../errors.ts';
import { inputName, neededNodes, type Node, type Value } from '../graph/graph.ts';
import type { OpName } from '../graph/ops.ts';
import { Emitter, halfName, type EmitterOptions, type Kernels } from './emitter.ts';
import {
  encodeModel,
  type Constants,
  type Halves,
  type OnnxFile,
  type OnnxPort,
  type OnnxTensor,
} from './onnx-model.ts';
import { onnxRules } from './onnx-rules.ts';

/**
 * The ONNX model of the graph that computes `outputs` from `inputs`. `constants` (by input name) are inputs whose values
 * are written into the model; `marker` names a further first output, an empty sequence. Throws `InvalidInput` if an output needs an input that is in neither.
 */
export function exportOnnx(
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value>>,
  constants: Constants = new Map(),
  { marker, kernels }: { readonly marker?: string; readonly kernels?: Kernels } = {},
): OnnxFile {
  const free = inputs.filter((value) => !constants.has(inputName(value)));
  const emitter = new Emitter(free, emitterOptions(constants, kernels));
  const nodes = neededNodes(Object.values(outputs));
  for (const node of nodes) if (node.op === 'input') known(node.outputs[0]!, inputs);
  writeValues(emitter, outputs);
  return encodeModel({
    marker,
    nodes: emitter.nodes,
    constants: [
      ...emitter.constants,
      ...constantsOf(
        nodes.flatMap((node) => node.outputs),
        constants,
      ),
    ],
    inputs: free.map(portOf),
    outputs: Object.entries(outputs).map(([name, value]) => port(name, value)),
  });
}

/** Writes the nodes that `outputs` need, each output by its name; inputs go by theirs. */
export function writeValues(emitter: Emitter, outputs: Readonly<Record<string, Value>>): void {
  const names = new Map<Value, string>();
  for (const [name, value] of Object.entries(outputs))
    if (value.node.op !== 'input' && !names.has(value)) names.set(value, name);
  for (const node of neededNodes(Object.values(outputs))) {
    node.outputs.forEach((value) => {
      if (node.op === 'input') names.set(value, inputName(value));
      else if (!names.has(value)) names.set(value, emitter.fresh());
    });
    write(node, names, emitter);
  }
  for (const [name, value] of Object.entries(outputs)) {
    if (names.get(value) !== name) emitter.emit('Identity', [names.get(value)!], { outputs: [name] });
  }
}

export const portOf = (input: Value): OnnxPort => port(inputName(input), input);
const port = (name: string, { dtype, shape }: Value): OnnxPort => ({ name, dtype, shape });

function known(value: Value, inputs: readonly Value[]): void {
  const name = inputName(value);
  if (!inputs.includes(value)) {
    throw new DomainError(
      'InvalidInput',
      `onnx: the outputs need input ${name}, which is not listed; expected all inputs.`,
      { name },
    );
  }
}

export function emitterOptions(constants: Constants, kernels?: Kernels): EmitterOptions {
  const halves = [...constants].flatMap(([name, data]) => (isHalves(data) ? [[name, data.format] as const] : []));
  return { halves: new Map(halves), kernels };
}

/** Of `values`, the inputs that are constants. */
export function constantsOf(values: readonly Value[], constants: Constants): OnnxTensor[] {
  return values
    .filter((value) => value.node.op === 'input' && constants.has(inputName(value)))
    .map((value) => {
      const name = inputName(value);
      const shape = value.shape.map(Number);
      const data = constants.get(name)!;
      if (!isHalves(data)) return { name, dtype: value.dtype, shape, data, isBeside: true };
      return { name: halfName(name, data.format), dtype: data.format, shape, data: data.words, isBeside: true };
    });
}

const isHalves = (data: Float32Array | Int8Array | Halves): data is Halves => 'format' in data;

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
