/** Weights that are constants of a model stand beside its protobuf, which holds no more than 2 GiB. */
import { expect, it } from 'vitest';
import { gemm, halfGemm } from '../graph/build.ts';
import { Graph } from '../graph/graph.ts';
import { exportOnnx } from './export.ts';
import type { Constants, Halves } from './onnx-model.ts';

it('takes weights as they lie in memory, whatever their size, and leaves the model small', () => {
  const [rows, columns] = [512, 300];
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['N', columns]);
  const [w, u] = ['w', 'u'].map((name) => graph.input(name, 'float32', [rows, columns]));
  const weights = new Float32Array(rows * columns + 7).subarray(7).fill(0.1);
  const words = new Uint16Array(rows * columns).fill(0x3dcd);
  const constants: Constants = new Map<string, Float32Array | Halves>([
    ['w', weights],
    ['u', { format: 'bfloat16', words }],
  ]);
  const outputs = { y: gemm(x, w!, { transB: true }), z: halfGemm(x, u!, 'bfloat16', { transB: true }) };
  const { bytes, beside } = exportOnnx([x, w!, u!], outputs, constants);
  expect(bytes.length).toBeLessThan(1000);
  expect(beside.map(({ path }) => path)).toEqual(['w', 'u.bfloat16']);
  // The very memory: nothing was copied.
  expect(beside.map(({ data }) => data.buffer)).toEqual([weights.buffer, words.buffer]);
  expect(beside.map(({ data }) => [data.byteOffset, data.byteLength])).toEqual([
    [28, 4 * rows * columns],
    [0, 2 * rows * columns],
  ]);
});
