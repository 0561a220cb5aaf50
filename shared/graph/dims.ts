/**
 * Tensor dimensions that may be unknown when a graph is built. A `Dim` is a number or a canonical text: a product of
 * names with at most one integer factor in front (`B`, `4*B*T`), optionally plus an integer (`W+1`), or one piece of a
 * dimension cut into n (`B*T/4#0` is piece 0). Two dimensions are equal exactly if they are `===`.
 */
import { DomainError } from '../errors.ts';

export type Dim = number | string;
export type Shape = readonly Dim[];
/** The value of each name for one run. */
export type DimBindings = ReadonlyMap<string, number>;

/** The product of dimensions, in canonical form. */
export function productOf(dims: Shape): Dim {
  let factor = 1;
  const names: string[] = [];
  for (const dim of dims) {
    if (typeof dim === 'number') factor *= dim;
    else if (/[+/]/.test(dim)) {
      if (dims.every((other) => other === dim || other === 1)) return dim;
      names.push(`(${dim})`);
    } else {
      for (const part of dim.split('*')) {
        if (/^\d+$/.test(part)) factor *= Number(part);
        else names.push(part);
      }
    }
  }
  if (names.length === 0 || factor === 0) return factor;
  return (factor === 1 ? [] : [String(factor)]).concat(names.sort()).join('*');
}

/** The sum of dimensions: at most one symbolic one, or all pieces of one. */
export function sumOf(dims: Shape): Dim {
  const whole = typeof dims[0] === 'string' && dims[0].endsWith('#0') ? dims[0].replace(/\/\d+#0$/, '') : undefined;
  if (whole !== undefined && dims.every((dim, i) => dim === pieceOf(whole, dims.length, i))) return whole;
  let total = 0;
  let symbol: string | undefined;
  for (const dim of dims) {
    const [, name, plus] =
      typeof dim === 'number' ? [undefined, undefined, dim] : (/^([^+]+)\+(\d+)$/.exec(dim) ?? [dim, dim, 0]);
    total += Number(plus);
    if (name === undefined) continue;
    symbol = symbol === undefined ? name : `(${symbol})+(${name})`;
  }
  if (symbol === undefined) return total;
  return total === 0 ? symbol : `${symbol}+${total}`;
}

/** The size of piece `index` when `dim` is cut into `parts` of equal size, the last one smaller if need be. */
export function pieceOf(dim: Dim, parts: number, index: number): Dim {
  if (parts === 1) return dim;
  if (typeof dim === 'string') return `${dim}/${parts}#${index}`;
  const size = Math.ceil(dim / parts);
  return Math.max(0, Math.min(size, dim - index * size));
}

/** The number that `dim` stands for in one run. */
export function resolveDim(dim: Dim, bindings: DimBindings): number {
  if (typeof dim === 'number') return dim;
  const piece = /^(.*)\/(\d+)#(\d+)$/.exec(dim);
  if (piece) return Number(pieceOf(resolveDim(piece[1]!, bindings), Number(piece[2]), Number(piece[3])));
  const sum = /^([^+]+)\+(\d+)$/.exec(dim);
  if (sum) return resolveDim(sum[1]!, bindings) + Number(sum[2]);
  return dim.split('*').reduce((product, part) => {
    if (/^\d+$/.test(part)) return product * Number(part);
    const size = bindings.get(part);
    if (size === undefined) {
      throw new DomainError(
        'ShapeMismatch',
        `Dimension ${dim} needs a value for ${part}; known: ${[...bindings.keys()].join(', ') || 'none'}. Name it in the shape of an input.`,
        { dim },
      );
    }
    return product * size;
  }, 1);
}

/** `[B, 4, T]`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** NumPy broadcasting of two shapes; undefined if they do not fit. A symbolic dimension fits itself and 1 only. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return undefined;
    out.push(left === 1 ? right : left);
  }
  return out;
}
