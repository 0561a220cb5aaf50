/**
 * Reverse-mode differentiation (Griewank and Walther, "Evaluating Derivatives", ch. 3): walks a graph backwards from a
 * scalar and adds, to the same graph, the nodes that compute the gradient. The calculus itself is gradient-rules.ts.
 *
 * Recomputation (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): the nodes of a segment are made again
 * from its beginning when the walk reaches its end, and the rules take these in place of the first ones, which need not be
 * kept through the rest of the program.
 */
import { DomainError } from '../errors.ts';
import { add, after, full, gemm, scatterRows } from './build.ts';
import { showShape } from './dims.ts';
import { gradientRules } from './gradient-rules.ts';
import { neededNodes, type Node, type Value } from './graph.ts';
import type { OpAttributes, OpName } from './ops.ts';

/** A stretch of a graph: what depends on `from`, up to `to`. Both of one shape but for the first dimension. */
export interface Segment {
  readonly from: Value;
  readonly to: Value;
}

/**
 * The gradient of the scalar `loss` with respect to each of `parameters`, same shapes; zeros for a parameter that the
 * loss does not depend on. `start` (same shapes) are values that the gradients are added to. `segments`, each later than the
 * one before and none overlapping, are recomputed.
 * Throws `ShapeMismatch` if the loss is no scalar, `UnsupportedOp` if an op on the way has no gradient rule.
 */
export function gradient(
  loss: Value,
  parameters: readonly Value[],
  start?: readonly Value[],
  segments: readonly Segment[] = [],
): readonly Value[] {
  if (loss.shape.length !== 0) {
    throw new DomainError(
      'ShapeMismatch',
      `gradient: the loss has shape ${showShape(loss.shape)}; expected a scalar []. Sum it first.`,
      { shape: [...loss.shape] },
    );
  }
  const nodes = neededNodes([loss]);
  const active = dependents(nodes, parameters);
  const cotangents = new Map<Value, Value>();
  parameters.forEach((parameter, i) => start?.[i] && cotangents.set(parameter, start[i]));
  cotangents.set(loss, full(loss.graph, [], 1));
  const pending = [...segments];
  const again = new Map<Value, Value>();
  const waitedFor = new Set<Value>();
  for (const node of [...nodes].reverse()) {
    const segment = pending.at(-1);
    if (segment !== undefined && node === segment.to.node) {
      // What the later segments give to parameters comes first, or all that it is made of would have to be kept.
      const given = parameters.flatMap((parameter) => cotangents.get(parameter) ?? []);
      const fresh = given.filter((value) => value.node.op !== 'input' && !waitedFor.has(value));
      fresh.forEach((value) => waitedFor.add(value));
      const g = cotangents.get(segment.to);
      pending.pop();
      if (g !== undefined) recompute(segment, nodes, [g, ...fresh], again);
    }
    const g = node.outputs.map((output) => cotangents.get(output));
    if (!active.has(node) || node.inputs.length === 0 || g.every((cotangent) => cotangent === undefined)) continue;
    const shares = applyRule(node, g, again);
    node.inputs.forEach((input, i) => {
      const share = shares[i];
      if (share && active.has(input.node)) cotangents.set(input, accumulate(cotangents.get(input), share));
    });
  }
  return parameters.map((parameter) => cotangents.get(parameter) ?? full(parameter.graph, parameter.shape, 0));
}

/** The nodes that depend on a parameter. */
function dependents(nodes: readonly Node[], parameters: readonly Value[]): Set<Node> {
  const active = new Set(parameters.map((parameter) => parameter.node));
  for (const node of nodes) if (node.inputs.some((input) => active.has(input.node))) active.add(node);
  return active;
}

/** Makes the segment's nodes again, once `first` are there; notes each value's second making. */
function recompute(
  { from, to }: Segment,
  nodes: readonly Node[],
  first: readonly Value[],
  again: Map<Value, Value>,
): void {
  const made = new Map<Value, Value>([[from, after(from, first)]]);
  for (const node of nodes) {
    if (node.id <= from.node.id || node.id > to.node.id || !node.inputs.some((input) => made.has(input))) continue;
    const inputs = node.inputs.map((input) => made.get(input) ?? input);
    const outputs = from.graph.apply(node.op, inputs, node.attributes);
    node.outputs.forEach((output, i) => made.set(output, outputs[i]!));
  }
  for (const [value, second] of made) if (value !== to) again.set(value, second);
}

function applyRule<K extends OpName>(
  node: Node<K>,
  g: readonly (Value | undefined)[],
  again: ReadonlyMap<Value, Value>,
) {
  const rule = gradientRules[node.op];
  if (rule === 'none') return [];
  if (rule === 'unsupported') {
    throw new DomainError(
      'UnsupportedOp',
      `gradient: ${node.op} (node ${node.id}) has no gradient rule; expected a graph without it between loss and parameters.`,
      { op: node.op, node: node.id },
    );
  }
  const latest = (value: Value) => again.get(value) ?? value;
  return rule({ x: node.inputs.map(latest), y: node.outputs.map(latest), g, attributes: node.attributes });
}

/** total + share; a product or a scatter takes the other as its addend, which saves a pass over memory. */
function accumulate(total: Value | undefined, share: Value): Value {
  if (!total) return share;
  return absorb(share, total) ?? absorb(total, share) ?? add(total, share);
}

function absorb(target: Value, addend: Value): Value | undefined {
  const { op, inputs, attributes } = target.node;
  if (op === 'gemm' && inputs.length === 2) {
    return gemm(inputs[0]!, inputs[1]!, { ...(attributes as OpAttributes['gemm']), c: addend });
  }
  const zeros =
    op === 'scatterRows' &&
    inputs[0]!.node.op === 'full' &&
    (inputs[0]!.node.attributes as OpAttributes['full']).value === 0;
  return zeros ? scatterRows(addend, inputs[1]!, inputs[2]!) : undefined;
}
