/**
 * Attention of one query a row over a cache (op `cacheAttend`), as one operator. Queries are scaled before it and not within:
 * ONNX Runtime's CPU provider multiplies a vector by a matrix where the matrix lies only if nothing is left to scale, and
 * copies the keys of every head otherwise.
 */
import type { Shape } from '../graph/dims.ts';
import type { TensorType } from '../graph/ops.ts';
import type { Emitter } from './emitter.ts';

/** Added to the score of an entry beyond a row's last: finite, and far below any score. */
const maskedScore = -1e30;

interface Rule {
  readonly emitter: Emitter;
  readonly x: readonly string[];
  readonly types: readonly TensorType[];
  readonly y: readonly string[];
}

export function emitCacheAttention({ emitter, x: [q, keys, values, last], types, y }: Rule): void {
  const cache = types[1]!.shape;
  const scale = emitter.constant('float32', [], [1 / Math.sqrt(Number(cache[3]))]);
  const mask = emitter.once(`mask ${last} ${String(cache[2])}`, () => maskOf(emitter, last!, cache));
  const attributes = { scale: { float: 1 } };
  emitter.emit('Attention', [emitter.emit('Mul', [q!, scale]), keys!, values!, mask], { attributes, outputs: y });
}

/** 0 for the entries 0 to last[b] of row b, else `maskedScore`: [B, 1, 1, W]. */
function maskOf(emitter: Emitter, last: string, [, , window]: Shape): string {
  const int = (value: number) => emitter.constant('int64', [], [value]);
  const float = (value: number) => emitter.constant('float32', [], [value]);
  const entries = emitter.emit('Range', [int(0), emitter.emit('Squeeze', [emitter.dim(window!)]), int(1)]);
  const lasts = emitter.emit('Unsqueeze', [last, emitter.ints([1, 2, 3])]);
  return emitter.emit('Where', [emitter.emit('Less', [lasts, entries]), float(maskedScore), float(0)]);
}
