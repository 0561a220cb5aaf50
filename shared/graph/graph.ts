/**
 * A graph under construction: nodes in the order of creation, so every node follows its inputs. Equal nodes are made
 * once. Knows shapes; knows neither gradients nor numbers nor ONNX.
 */
import { DomainError } from '../errors.ts';
import type { Shape } from './dims.ts';
import type { DType, OpAttributes, OpName, TensorType } from './ops.ts';
import { outputTypes } from './shape-rules.ts';

export interface Node<K extends OpName = OpName> {
  readonly id: number;
  readonly op: K;
  readonly attributes: OpAttributes[K];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** One output of one node. */
export interface Value extends TensorType {
  readonly graph: Graph;
  readonly node: Node;
  /** Which output of the node. */
  readonly index: number;
}

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  private readonly known = new Map<string, Node>();

  /** Adds a node, or finds the equal one. Throws `ShapeMismatch`. */
  apply<K extends OpName>(op: K, inputs: readonly Value[], attributes: OpAttributes[K]): readonly Value[] {
    const key = `${op}(${inputs.map((value) => `${value.node.id}.${value.index}`).join()})${describe(attributes)}`;
    const same = this.known.get(key);
    if (same) return same.outputs;
    const types = outputTypes(op, inputs, attributes);
    const outputs: Value[] = [];
    const node: Node<K> = { id: this.nodes.length, op, attributes, inputs, outputs };
    types.forEach((type, index) => outputs.push({ ...type, graph: this, node: node, index }));
    this.nodes.push(node);
    this.known.set(key, node);
    return outputs;
  }

  /** A tensor given at each run. Throws `InvalidInput` if the name is taken. */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (this.inputs.some((value) => inputName(value) === name)) {
      throw new DomainError('InvalidInput', `Graph input ${name} is declared twice; expected one. Reuse the first.`, {
        name,
      });
    }
    const [value] = this.apply('input', [], { name, type: { dtype, shape } });
    this.inputs.push(value!);
    return value!;
  }
}

/** The name of a value that `Graph.input` made. */
export function inputName(value: Value): string {
  return (value.node as unknown as Node<'input'>).attributes.name;
}

/** The nodes that `outputs` need, in order. */
export function neededNodes(outputs: readonly Value[]): Node[] {
  const needed = new Set<Node>();
  const pending = outputs.map((value) => value.node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    pending.push(...node.inputs.map((value) => value.node));
  }
  return [...needed].sort((a, b) => a.id - b.id);
}

const bulk = new WeakMap<object, number>();
let bulkCount = 0;

/** Attributes as text; a large array stands for itself only. */
function describe(attributes: object): string {
  return JSON.stringify(attributes, (_, value: unknown) => {
    if (!(ArrayBuffer.isView(value) || (Array.isArray(value) && value.length > 16))) return value;
    if (!bulk.has(value)) bulk.set(value, (bulkCount += 1));
    return `data ${bulk.get(value)}`;
  });
}
