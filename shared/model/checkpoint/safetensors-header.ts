/**
 * The head of a safetensors file: 8 bytes of little-endian header length, then JSON that gives each tensor's dtype, shape
 * and place (format: github.com/huggingface/safetensors, "Format"). Reading refuses whatever the format forbids: holes,
 * overlaps, sizes that do not fit, a file that ends early.
 */
import { DomainError } from '../../errors.ts';
import { bytesOf, storedDTypes, type StoredDType } from './number-formats.ts';

export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends StoredTensor {
  /** First byte and the byte after the last, in the file. */
  readonly from: number;
  readonly to: number;
}

export interface SafetensorsHeader {
  /** In file order. */
  readonly tensors: readonly PlacedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes before the JSON. */
export const lengthBytes = 8;
const alignment = 8;
/** As the reference implementation. */
const longestHeader = 100_000_000;

export const sizeOf = ({ shape, dtype }: Omit<StoredTensor, 'name'>): number =>
  shape.reduce((product, size) => product * size, bytesOf[dtype]);

const corrupt = (file: string, reason: string): DomainError =>
  new DomainError('CheckpointCorrupt', `${file}: ${reason}. Download or copy the file again.`, { file });

/** Bytes of the JSON, from the first `lengthBytes` bytes of a file of `fileBytes`. Throws `CheckpointCorrupt`. */
export function headerLength(start: Uint8Array, fileBytes: number, file: string): number {
  if (start.length < lengthBytes) throw corrupt(file, `${fileBytes} bytes are too few for a safetensors file`);
  const length = Number(new DataView(start.buffer, start.byteOffset, lengthBytes).getBigUint64(0, true));
  if (length > longestHeader || lengthBytes + length > fileBytes) {
    throw corrupt(file, `the header claims ${length} bytes, the file has ${fileBytes}`);
  }
  return length;
}

/** Parses the JSON of a file of `fileBytes`. Throws `CheckpointCorrupt`, or `UnsupportedModel` for a dtype. */
export function parseHeader(json: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const { __metadata__: metadata, ...entries } = parseJson(json, file);
  const start = lengthBytes + json.length;
  const tensors = Object.entries(entries).map(([name, entry]) => placed(name, entry, start, file));
  tensors.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = start;
  for (const { name, from, to } of tensors) {
    if (from !== end) throw corrupt(file, `tensor '${name}' begins at byte ${from}, the one before ends at ${end}`);
    end = to;
  }
  if (end > fileBytes) {
    const last = tensors.find(({ to }) => to > fileBytes)!;
    throw corrupt(file, `the file ends at byte ${fileBytes} inside tensor '${last.name}', which ends at ${last.to}`);
  }
  if (end < fileBytes) throw corrupt(file, `${fileBytes - end} bytes follow the last tensor; expected none`);
  return { tensors, metadata: (metadata ?? {}) as Record<string, string> };
}

function parseJson(bytes: Uint8Array, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Falls through to the one message.
  }
  throw corrupt(file, 'the header is no JSON object');
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const areSizes = (value: unknown): value is number[] => Array.isArray(value) && value.every(isSize);

function placed(name: string, entry: unknown, start: number, file: string): PlacedTensor {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (!areSizes(shape) || !areSizes(offsets) || offsets.length !== 2) {
    throw corrupt(file, `tensor '${name}' has no shape or no offsets`);
  }
  if (!storedDTypes.includes(dtype as StoredDType)) {
    throw new DomainError(
      'UnsupportedModel',
      `${file}: tensor '${name}' has dtype ${String(dtype)}; expected ${storedDTypes.join(', ')}. Convert the checkpoint to one of them.`,
      { file, name, dtype },
    );
  }
  const tensor = { name, dtype: dtype as StoredDType, shape };
  const [from, to] = offsets as [number, number];
  if (to - from !== sizeOf(tensor)) {
    throw corrupt(
      file,
      `tensor '${name}' [${shape.join(', ')}] of ${tensor.dtype} does not fit its bytes ${from} to ${to}`,
    );
  }
  return { ...tensor, from: start + from, to: start + to };
}

/** The head of a file that holds `tensors` one after another, padded with spaces to a multiple of 8 bytes. */
export function encodeHeader(
  tensors: readonly StoredTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + sizeOf(tensor);
    header[tensor.name] = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / alignment) * alignment;
  const bytes = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, lengthBytes);
  return bytes;
}
