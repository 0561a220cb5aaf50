/** Token ids and log-probs as packed little-endian binary, and back. */
import { Binary } from 'mongodb';

const bytesOf = (array: Int32Array | Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Copies, so the caller's array may change afterwards. */
export const pack = (array: Int32Array | Float32Array) => new Binary(Buffer.from(bytesOf(array)));

function aligned(binary: Binary): ArrayBuffer {
  const view = binary.buffer.subarray(0, binary.length());
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
}

export const unpackInts = (binary: Binary) => new Int32Array(aligned(binary));
export const unpackFloats = (binary: Binary) => new Float32Array(aligned(binary));
