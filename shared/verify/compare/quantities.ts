/** Numbers with something beside them: units, percent, degrees, ratios, bases. `go` compares the parts. */
import { isScalar, someNode } from '../expression.ts';
import type { Node } from '../expression.ts';
import { measureOf } from '../read/units.ts';
import { evaluateExact } from '../value/evaluate-exact.ts';
import { scalarEqual } from '../value/scalar-equal.ts';

type Go = (gold: Node, answer: Node) => string | null;
type Of<K extends Node['k']> = Extract<Node, { k: K }>;

/** Units are left out where one side has none or one is not known; known ones must agree, after conversion. */
export function sameQuantity(g: Node, a: Node, go: Go): string | null {
  const [p, q] = [g.k === 'unit' ? g.unit : null, a.k === 'unit' ? a.unit : null];
  const [x, y] = [g.k === 'unit' ? g.of : g, a.k === 'unit' ? a.of : a];
  if (p === null || q === null) return go(x, y);
  if (p.startsWith('mod ') && q.startsWith('mod ') && p !== q) return null;
  const [u, v] = [measureOf(p), measureOf(q)];
  if (u === null || v === null) return go(x, y);
  if (u.dimension !== v.dimension) return null;
  if (u.factor.top === v.factor.top && u.factor.bottom === v.factor.bottom) return go(x, y);
  const inBase = (node: Node, value: typeof u.factor): Node => ({
    k: 'multiply',
    items: [{ k: 'number', value, places: null, digits: 1 }, node],
  });
  return scalarEqual(inBase(x, u.factor), inBase(y, v.factor)) === null ? null : 'unit';
}

/** 28% is 28 as written in an answer to "what percent", and 0.28 as a number. */
export function samePercent(g: Node, a: Node, go: Go): string | null {
  if (g.k === 'percent' && a.k === 'percent') return go(g.of, a.of);
  const [x, y] = g.k === 'percent' ? [g, a] : [a as Of<'percent'>, g];
  if (!isScalar(y)) return null;
  return go(x.of, y) ?? scalarEqual(x, y);
}

/** 90° is 90 with its sign left out, and π/2 where the other side is written with π. */
export function sameAngle(g: Node, a: Node, go: Go): string | null {
  if (g.k === 'degree' && a.k === 'degree') return go(g.of, a.of);
  const [x, y] = g.k === 'degree' ? [g, a] : [a as Of<'degree'>, g];
  if (someNode(y, (node) => node.k === 'constant' && node.name === 'pi')) return scalarEqual(x, y);
  return go(x.of, y);
}

export function sameRatio(g: Of<'ratio'>, a: Of<'ratio'>, go: Go): string | null {
  if (g.items.length !== a.items.length) return null;
  if (g.items.every((item, i) => go(item, a.items[i]!) !== null)) return 'ratio';
  const part = (node: Of<'ratio'>, i: number): Node => ({ k: 'divide', top: node.items[i]!, bottom: node.items[0]! });
  if ([...g.items, ...a.items].some((item) => evaluateExact(item)?.top === 0n)) return null;
  return g.items.every((_, i) => i === 0 || scalarEqual(part(g, i), part(a, i)) !== null) ? 'ratio' : null;
}

/** A gold in a base wants these digits, with or without the base; 1011₂ answers a gold of 1011 and one of 11. */
export function sameBased(g: Node, a: Node): string | null {
  const [p, q] = [digitsOf(g), digitsOf(a)];
  if (p !== null && p === q && (g.k !== 'based' || a.k !== 'based' || g.base === a.base)) return 'base';
  return g.k === 'based' ? null : scalarEqual(g, a);
}

function digitsOf(node: Node): string | null {
  if (node.k === 'based') return node.digits;
  return node.k === 'number' && node.places === null && node.value.bottom === 1n ? node.value.top.toString() : null;
}
