/**
 * Reverse-mode differentiation (Griewank and Walther, "Evaluating Derivatives", ch. 3): walks a graph backwards from a
 * scalar and adds, to the same graph, the nodes that compute the gradient. The calculus itself is gradient-rules.ts.
 */
import { DomainError } from '../errors.ts';
import { add, full, gemm, scatterRows } from './build.ts';
import { showShape } from './dims.ts';
import { gradientRules } from './gradient-rules.ts';
import { neededNodes, type Node, type Value } from './graph.ts';
import type { OpAttributes, OpName } from './ops.ts';

/**
 * The gradient of the scalar `loss` with respect to each of `parameters`, same shapes; zeros for a parameter that the
 * loss does not depend on. `start` (same shapes) are values that the gradients are added to.
 * Throws `ShapeMismatch` if the loss is no scalar, `UnsupportedOp` if an op on the way has no gradient rule.
 */
export function gradient(loss: Value, parameters: readonly Value[], start?: readonly Value[]): readonly Value[] {
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
  for (const node of nodes.reverse()) {
    const g = node.outputs.map((output) => cotangents.get(output));
    if (!active.has(node) || node.inputs.length === 0 || g.every((cotangent) => cotangent === undefined)) continue;
    const shares = applyRule(node, g);
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

function applyRule<K extends OpName>(node: Node<K>, g: readonly (Value | undefined)[]) {
  const rule = gradientRules[node.op];
  if (rule === 'none') return [];
  if (rule === 'unsupported') {
    throw new DomainError(
      'UnsupportedOp',
      `gradient: ${node.op} (node ${node.id}) has no gradient rule; expected a graph without it between loss and parameters.`,
      { op: node.op, node: node.id },
    );
  }
  return rule({ x: node.inputs, y: node.outputs, g, attributes: node.attributes });
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
