/** A checkpoint's numbers in pieces of a few megabytes, so that reading one never takes its size in memory. */
import { open } from 'node:fs/promises';
import { DomainError } from '../../../shared/errors.ts';
import { bytesOf, widen } from '../../../shared/model/checkpoint/number-formats.ts';
import { encodeHeader } from '../../../shared/model/checkpoint/safetensors-header.ts';
import type { FileTensor, OpenCheckpoint } from './open-folder.ts';

const pieceBytes = 4 << 20;

/** The tensor's bytes as they are stored. Throws `CheckpointCorrupt` if the file has become shorter. */
export async function* rawPieces({ file, name, from, to }: FileTensor): AsyncGenerator<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    for (let at = from; at < to; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, to - at));
      const { bytesRead } = await handle.read(piece, 0, piece.length, at);
      if (bytesRead < piece.length) {
        throw new DomainError('CheckpointCorrupt', `${file}: it ended inside tensor '${name}' while it was read`, {
          file,
        });
      }
      yield piece;
    }
  } finally {
    await handle.close();
  }
}

/** The tensor as float32 bytes. */
export async function* floatPieces(tensor: FileTensor): AsyncGenerator<Uint8Array> {
  for await (const piece of rawPieces(tensor)) {
    if (tensor.dtype === 'F32') yield piece;
    else {
      const floats = new Float32Array(piece.length / bytesOf[tensor.dtype]);
      widen(tensor.dtype, piece, floats);
      yield new Uint8Array(floats.buffer);
    }
  }
}

/** The whole checkpoint as the one float32 safetensors file that the store keeps: the same bytes as `safetensorsPieces`. */
export async function* weightPieces({ tensors }: OpenCheckpoint): AsyncGenerator<Uint8Array> {
  const sorted = [...tensors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  yield encodeHeader(sorted.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })));
  for (const tensor of sorted) yield* floatPieces(tensor);
}
