/** Every ± becomes two values: signs move together within one item; ∓ moves against. */
import { isScalar, mapChildren, someNode } from '../expression.ts';
import type { Node } from '../expression.ts';

export function expandSigns(node: Node): Node {
  if (!someNode(node, (n) => n.k === 'plusMinus')) return node;
  if (isScalar(node) || node.k === 'plusMinus' || node.k === 'relation' || node.k === 'group') {
    return { k: 'list', joiner: 'or', items: [withSign(node, 1), withSign(node, -1)] };
  }
  return mapChildren(node, expandSigns);
}

function withSign(node: Node, sign: 1 | -1): Node {
  if (node.k !== 'plusMinus') return mapChildren(node, (child) => withSign(child, sign));
  const right = withSign(node.right, sign);
  const term: Node = node.sign * sign > 0 ? right : { k: 'negate', of: right };
  return node.left === null ? term : { k: 'add', items: [withSign(node.left, sign), term] };
}
