/**
 * Attention of one token a row over caches (op `cacheAttend`), as one operator. It reads each row's own entries only, so a
 * long row costs its neighbours nothing, and it writes the new entries in place where the caches are fetched into the
 * arrays that are fed.
 */
import type { TensorType } from '../graph/ops.ts';
import { microsoft, type Emitter } from './emitter.ts';

/** TensorProto.DataType.INT32, which only this operator takes. */
const int32 = 6;

interface Rule {
  readonly emitter: Emitter;
  readonly x: readonly string[];
  readonly types: readonly TensorType[];
  readonly y: readonly string[];
}

export function emitCacheAttention({ emitter, x, types, y }: Rule): void {
  const [q, k, v, keys, values, last] = x as [string, string, string, string, string, string];
  const [, kvHeads, window] = types[3]!.shape;
  const heads = (Number(kvHeads) * Number(types[0]!.shape[2])) / Number(types[1]!.shape[2]);
  const asInt32 = (name: string) => emitter.emit('Cast', [name], { attributes: { to: int32 } });
  const lasts = emitter.once(`int32 ${last}`, () => asInt32(last));
  // More than one token stands for a step that is no prompt's first.
  const longest = emitter.once(`int32 ${String(window)}`, () =>
    asInt32(emitter.emit('Squeeze', [emitter.dim(window!)])),
  );
  emitter.emit('GroupQueryAttention', [q, k, v, keys, values, lasts, longest], {
    domain: microsoft,
    attributes: { num_heads: heads, kv_num_heads: Number(kvHeads) },
    outputs: y,
  });
}
