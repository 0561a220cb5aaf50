/**
 * Whole float32 safetensors files in pieces: what weights and moments are stored as. Neither direction holds a second
 * copy of the tensors. Names are written in sorted order, so equal tensors give equal bytes and one digest.
 */
import { DomainError } from '../../errors.ts';
import { narrow } from './number-formats.ts';
import { encodeHeader, headerLength, lengthBytes, parseHeader, type PlacedTensor } from './safetensors-header.ts';

/** The bytes of one file, in order: the head, then a view of each tensor. `shapeOf` gives each tensor's shape. */
export function* safetensorsPieces(
  tensors: ReadonlyMap<string, Float32Array>,
  shapeOf: (name: string) => readonly number[],
): Generator<Uint8Array> {
  const names = [...tensors.keys()].sort();
  yield encodeHeader(names.map((name) => ({ name, dtype: 'F32', shape: shapeOf(name) })));
  for (const name of names) yield narrow('F32', tensors.get(name)!);
}

/** Where a reader puts what it reads. */
export interface TensorSink<Result> {
  /** All tensors of the file, in file order; comes first. */
  start(tensors: readonly PlacedTensor[]): void;
  /** Bytes of `tensor` from its byte `at`; tensors and bytes come in file order. A piece may end inside a number. */
  take(tensor: PlacedTensor, at: number, piece: Uint8Array): void;
  /** After the last byte. */
  finish(): Result;
}

/** Takes a file's bytes in pieces of any size, in order. */
export class SafetensorsReader<Result> {
  private readonly file: string;
  private readonly fileBytes: number;
  private readonly sink: TensorSink<Result>;
  private head = new Uint8Array(0);
  private tensors: readonly PlacedTensor[] | null = null;
  /** Index of the tensor that the next byte belongs to, and that byte's place in the file. */
  private current = 0;
  private at = 0;

  /** `file` is named in messages. */
  constructor(fileBytes: number, file: string, sink: TensorSink<Result>) {
    this.fileBytes = fileBytes;
    this.file = file;
    this.sink = sink;
  }

  /** Throws `CheckpointCorrupt`, and what the header and the sink throw. */
  push(piece: Uint8Array): void {
    const rest = this.tensors === null ? this.readHead(piece) : piece;
    if (rest !== null) this.share(rest);
  }

  /** Throws `CheckpointCorrupt` if bytes are missing. */
  finish(): Result {
    if (this.at === this.fileBytes && this.tensors !== null) return this.sink.finish();
    const seen = this.tensors === null ? this.head.length : this.at;
    throw new DomainError('CheckpointCorrupt', `${this.file}: ${seen} bytes came; expected ${this.fileBytes}`, {
      file: this.file,
    });
  }

  /** What follows the head in `piece`; null while the head is incomplete. */
  private readHead(piece: Uint8Array): Uint8Array | null {
    const joined = new Uint8Array(this.head.length + piece.length);
    joined.set(this.head);
    joined.set(piece, this.head.length);
    this.head = joined;
    if (joined.length < Math.min(lengthBytes, this.fileBytes)) return null;
    const end = lengthBytes + headerLength(joined, this.fileBytes, this.file);
    if (joined.length < end) return null;
    this.tensors = parseHeader(joined.subarray(lengthBytes, end), this.fileBytes, this.file).tensors;
    this.sink.start(this.tensors);
    this.at = end;
    return joined.subarray(end);
  }

  private share(piece: Uint8Array): void {
    let taken = 0;
    while (taken < piece.length) {
      const tensor = this.tensors![this.current];
      if (tensor === undefined) {
        throw new DomainError('CheckpointCorrupt', `${this.file}: bytes follow the last tensor`, { file: this.file });
      }
      const count = Math.min(piece.length - taken, tensor.to - this.at);
      if (count > 0) this.sink.take(tensor, this.at - tensor.from, piece.subarray(taken, taken + count));
      taken += count;
      this.at += count;
      if (this.at === tensor.to) this.current += 1;
    }
  }
}

/** A reader of float32 files that fills arrays as their bytes come. Refuses other dtypes by `UnsupportedModel`. */
export function tensorReader(fileBytes: number, file: string): SafetensorsReader<Map<string, Float32Array>> {
  const arrays = new Map<string, Float32Array>();
  return new SafetensorsReader(fileBytes, file, {
    start(tensors) {
      for (const { name, dtype, shape } of tensors) {
        if (dtype !== 'F32') {
          throw new DomainError('UnsupportedModel', `${file}: tensor '${name}' is ${dtype}; expected F32`, { name });
        }
        arrays.set(name, new Float32Array(shape.reduce((product, size) => product * size, 1)));
      }
    },
    // Float32 bytes are copied as they are, so a piece may end inside a number.
    take: ({ name }, at, piece) => new Uint8Array(arrays.get(name)!.buffer, at, piece.length).set(piece),
    finish: () => arrays,
  });
}

/** Tensors of one float32 file's bytes, copied. Throws as the reader does. */
export function decodeSafetensors(bytes: Uint8Array, file = 'safetensors'): Map<string, Float32Array> {
  const reader = tensorReader(bytes.length, file);
  reader.push(bytes);
  return reader.finish();
}
