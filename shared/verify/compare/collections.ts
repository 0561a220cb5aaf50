/** Tuples keep their order; sets and bare lists do not; a tuple against a set or list goes by order. */
import type { Node } from '../expression.ts';
import { isAssignment } from './relations.ts';

type Equal = (gold: Node, answer: Node) => boolean;
/** Sides longer than this are compared only where they have one length. */
const longestCover = 40;

export const isCollection = (node: Node): boolean =>
  node.k === 'list' || node.k === 'set' || (node.k === 'group' && node.items.length > 1);

export function sameCollection(g: Node, a: Node, equal: Equal): string | null {
  const [x, y] = [flat(g), flat(a)];
  if (g.k === 'group' && a.k === 'group') {
    if (x.length !== y.length || g.open !== a.open || g.close !== a.close) return null;
    return x.every((item, i) => equal(item, y[i]!)) ? 'tuple' : null;
  }
  if (g.k === 'group' || a.k === 'group') {
    const group = g.k === 'group' ? g : (a as Node & { k: 'group' });
    const other = g.k === 'group' ? y : x;
    if (other.length === 1) return null;
    if (group.open !== group.close.replace(')', '(').replace(']', '[')) return null;
    if (x.length === y.length && x.every((item, i) => equal(item, y[i]!))) return 'tuple';
    return group.open === '[' && unordered(x, y, equal) ? 'list' : null;
  }
  if (x.length === 1 && y.length === 1) return equal(x[0]!, y[0]!) ? 'set' : null;
  return unordered(x, y, equal) ? 'list' : null;
}

/** Items with nested bare lists and sets opened. */
function flat(node: Node): readonly Node[] {
  if (node.k === 'group') return node.items;
  if (node.k !== 'list' && node.k !== 'set') return [node];
  return node.items.flatMap((item) => {
    if (item.k === 'list' || item.k === 'set') return flat(item);
    if (item.k === 'relation' && isAssignment(item)) {
      const last = item.sides[item.sides.length - 1]!;
      if (last.k === 'list' || last.k === 'set') return flat(last);
    }
    return [item];
  });
}

/** Different lengths can still be one set where one side repeats an element (`1, 1, 2` and `1, 2`). */
export function unordered(x: readonly Node[], y: readonly Node[], equal: Equal): boolean {
  if (x.length !== y.length) {
    if (x.length >= longestCover || y.length >= longestCover) return false;
    return covers(x, y, equal) && covers(y, x, (a, b) => equal(b, a));
  }
  const rest = [...y];
  for (const item of x) {
    const at = rest.findIndex((other) => equal(item, other));
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return true;
}

const covers = (x: readonly Node[], y: readonly Node[], equal: Equal) =>
  x.every((item) => y.some((other) => equal(item, other)));
