import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeader, headerLength, parseHeader } from './safetensors-header.ts';
import { decodeSafetensors, tensorReader, safetensorsPieces } from './safetensors.ts';

const tensors = new Map([
  ['b', new Float32Array([1, 2, 3, 4, 5, 6])],
  ['a', new Float32Array([-0.5])],
  ['empty', new Float32Array(0)],
]);
const shapes: Record<string, number[]> = { a: [1], b: [2, 3], empty: [0, 4] };
const bytes = Uint8Array.from([...safetensorsPieces(tensors, (name) => shapes[name]!)].flatMap((piece) => [...piece]));
const file = 'model.safetensors';

/** A file with this JSON and so many bytes of data. */
function fileWith(json: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(json);
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

describe('float32 files', () => {
  it('have the published layout', () => {
    const header =
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},' +
      '"empty":{"dtype":"F32","shape":[0,4],"data_offsets":[28,28]}}';
    const padded = Math.ceil(header.length / 8) * 8;
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded))).toBe(header.padEnd(padded));
    expect([...new Float32Array(bytes.slice(8 + padded).buffer)]).toEqual([-0.5, 1, 2, 3, 4, 5, 6]);
  });

  it('come back from pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (cuts) => {
        const reader = tensorReader(bytes.length, file);
        for (let at = 0, i = 0; at < bytes.length; at += cuts[i++ % cuts.length]!) {
          reader.push(bytes.subarray(at, at + cuts[i % cuts.length]!));
        }
        expect([...reader.finish()].sort()).toEqual([...tensors].sort());
      }),
    );
  });

  it('refuse missing and surplus bytes by name', () => {
    const reader = tensorReader(bytes.length, file);
    reader.push(bytes.subarray(0, -4));
    expect(() => reader.finish()).toThrow(`${file}: ${bytes.length - 4} bytes came; expected ${bytes.length}`);
    reader.push(bytes.subarray(-4));
    expect(() => reader.push(Uint8Array.of(1))).toThrow(/bytes follow the last tensor/);
    expect(() => tensorReader(4, file).finish()).toThrow(/0 bytes came; expected 4/);
    expect(() => decodeSafetensors(fileWith('{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', 2))).toThrow(
      expect.objectContaining({ name: 'UnsupportedModel' }),
    );
  });
});

describe('headers', () => {
  const read = (whole: Uint8Array, fileBytes = whole.length) => {
    const length = headerLength(whole, fileBytes, file);
    return parseHeader(whole.subarray(8, 8 + length), fileBytes, file);
  };

  it('give place, dtype and shape in file order, and metadata', () => {
    const json =
      '{"__metadata__":{"format":"pt"},"z":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},"y":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}';
    const start = 8 + json.length;
    expect(read(fileWith(json, 8))).toEqual({
      tensors: [
        { name: 'y', dtype: 'F32', shape: [], from: start, to: start + 4 },
        { name: 'z', dtype: 'BF16', shape: [2], from: start + 4, to: start + 8 },
      ],
      metadata: { format: 'pt' },
    });
  });

  it('are what the encoder writes', () => {
    const stored = [
      { name: 'x', dtype: 'F16', shape: [3, 2] },
      { name: 'w', dtype: 'BF16', shape: [1] },
    ] as const;
    const head = encodeHeader(stored, { format: 'pt' });
    expect(head.length % 8).toBe(0);
    const { tensors: found, metadata } = read(head, head.length + 14);
    expect(found.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual(stored);
    expect(metadata).toEqual({ format: 'pt' });
  });

  const tensor = (from: number, to: number, change: object = {}) =>
    JSON.stringify({ dtype: 'F32', shape: [1], data_offsets: [from, to], ...change });
  it.each([
    ['too short for a header', new Uint8Array(5), /5 bytes are too few/],
    ['a length beyond the file', fileWith('{}', 0).subarray(0, 9), /the header claims 2 bytes, the file has 9/],
    ['no JSON', fileWith('{"a"', 0), /no JSON object/],
    ['JSON of another kind', fileWith('[]', 0), /no JSON object/],
    ['truncated data', fileWith(`{"a":${tensor(0, 4)}}`, 3), /ends at byte \d+ inside tensor 'a'/],
    ['surplus data', fileWith(`{"a":${tensor(0, 4)}}`, 5), /1 bytes follow/],
    ['a hole', fileWith(`{"a":${tensor(4, 8)}}`, 8), /'a' begins at byte/],
    ['an overlap', fileWith(`{"a":${tensor(0, 4)},"b":${tensor(0, 4)}}`, 4), /'b' begins at byte/],
    ['a size that is not the shape', fileWith(`{"a":${tensor(0, 8)}}`, 8), /'a' \[1\] of F32 does not fit/],
    ['no offsets', fileWith('{"a":{"dtype":"F32","shape":[1]}}', 4), /'a' has no shape or no offsets/],
    ['a negative size', fileWith(`{"a":${tensor(0, 4, { shape: [-1] })}}`, 4), /'a' has no shape/],
  ])('refuse %s', (_, whole, message) => {
    expect(() => read(whole)).toThrow(
      expect.objectContaining({ name: 'CheckpointCorrupt', message: expect.stringMatching(message) }),
    );
  });

  it('refuse other dtypes by name', () => {
    const whole = fileWith(`{"a":${tensor(0, 8, { dtype: 'F64' })}}`, 8);
    expect(() => read(whole)).toThrow(
      expect.objectContaining({ name: 'UnsupportedModel', message: expect.stringContaining("'a' has dtype F64") }),
    );
  });
});
