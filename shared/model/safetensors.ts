/**
 * The safetensors container (float32 tensors): 8-byte little-endian header length, JSON header, tensor bytes. Names are
 * written in sorted order, so equal tensors give equal bytes and one digest. Based on the format's public description;
 * other dtypes are the importer's business.
 */
import { DomainError } from '../errors.ts';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const headerLengthBytes = 8;
const alignment = 8;

/** Bytes of one file. `shapeOf` gives each tensor's shape; row-major. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Float32Array>,
  shapeOf: (name: string) => readonly number[],
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, Entry> = {};
  let offset = 0;
  for (const name of names) {
    const end = offset + tensors.get(name)!.byteLength;
    header[name] = { dtype: 'F32', shape: [...shapeOf(name)], data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / alignment) * alignment;
  const bytes = new Uint8Array(headerLengthBytes + headerLength + offset).fill(
    0x20,
    headerLengthBytes,
    headerLengthBytes + headerLength,
  );
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(json, headerLengthBytes);
  const start = headerLengthBytes + headerLength;
  for (const name of names) {
    const tensor = tensors.get(name)!;
    bytes.set(
      new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength),
      start + header[name]!.data_offsets[0],
    );
  }
  return bytes;
}

/** Tensors by name, copied. Throws `CheckpointCorrupt` for a truncated file, a bad header or a dtype that is not F32. */
export function decodeSafetensors(bytes: Uint8Array): Map<string, Float32Array> {
  const refuse = (reason: string): never => {
    throw new DomainError('CheckpointCorrupt', `safetensors: ${reason}`, { bytes: bytes.length });
  };
  if (bytes.length < headerLengthBytes) refuse(`${bytes.length} bytes are too few for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const start = headerLengthBytes + headerLength;
  if (start > bytes.length) refuse(`the header claims ${headerLength} bytes, the file has ${bytes.length}`);
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(headerLengthBytes, start))) as Record<string, Entry>;
  } catch {
    return refuse('the header is not JSON');
  }
  const tensors = new Map<string, Float32Array>();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(header)) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (dtype !== 'F32') refuse(`tensor '${name}' has dtype ${dtype}, expected F32`);
    if (to - from !== count * 4 || start + to > bytes.length)
      refuse(`tensor '${name}' [${shape.join(', ')}] does not fit its bytes ${from}..${to}`);
    const copy = new Uint8Array(count * 4);
    copy.set(bytes.subarray(start + from, start + to));
    tensors.set(name, new Float32Array(copy.buffer));
  }
  return tensors;
}
