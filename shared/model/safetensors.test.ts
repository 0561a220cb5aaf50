import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

describe('safetensors', () => {
  const tensors = new Map([
    ['b', new Float32Array([1, 2, 3, 4, 5, 6])],
    ['a', new Float32Array([-0.5])],
  ]);
  const shapes: Record<string, number[]> = { a: [1], b: [2, 3] };
  const bytes = encodeSafetensors(tensors, (name) => shapes[name]!);

  it('writes the published layout', () => {
    const header =
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]}}';
    const padded = Math.ceil(header.length / 8) * 8;
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded))).toBe(header.padEnd(padded));
    expect([...new Float32Array(bytes.slice(8 + padded).buffer)]).toEqual([-0.5, 1, 2, 3, 4, 5, 6]);
  });

  it('reads back the same bits', () => {
    const read = decodeSafetensors(bytes);
    expect([...read.get('b')!]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...read.keys()]).toEqual(['a', 'b']);
  });

  it('refuses truncated files by name', () => {
    expect(() => decodeSafetensors(bytes.subarray(0, bytes.length - 4))).toThrow(/tensor 'b' \[2, 3\] does not fit/);
    expect(() => decodeSafetensors(bytes.subarray(0, 20))).toThrow(/header claims/);
  });
});
