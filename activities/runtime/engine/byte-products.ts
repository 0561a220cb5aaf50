/**
 * Whether this processor multiplies bytes exactly. Some without VNNI instructions add pairs of products in 16 bits, which
 * clips the largest ones without a word: 8-bit weights are refused there.
 */
import { int8Gemm } from '../../../shared/graph/build.ts';
import { Graph } from '../../../shared/graph/graph.ts';
import { finish } from '../../../shared/model/built.ts';
import { DomainError } from '../../../shared/errors.ts';
import { floatTensor, floatsOf, GraphSession } from './session.ts';

const width = 64;
const columns = 32;
let checked: Promise<void> | undefined;

/** Throws `UnsupportedOp` where the largest products come out wrong. */
export const checkByteProducts = (): Promise<void> => (checked ??= check());

async function check(): Promise<void> {
  const graph = new Graph();
  const x = graph.input('x', 'float32', ['N', width]);
  const w = graph.input('w', 'int8', [width, columns]);
  const scale = graph.input('scale', 'float32', [columns]);
  const weights = new Map([
    ['w', new Int8Array(width * columns).fill(127)],
    ['scale', new Float32Array(columns).fill(1)],
  ] as [string, Int8Array | Float32Array][]);
  const session = await GraphSession.create(
    '8-bit product',
    finish([x, w, scale], { y: int8Gemm(x, w, scale) }, { weights }),
    {
      provider: 'cpu',
      threads: 1,
      spin: false,
    },
  );
  // Rows of 127 and of -127 are the bytes 255 and 1.
  const rows = Float32Array.from({ length: 2 * width }, (_, i) => (i < width ? 127 : -127));
  const { y } = await session.run({ x: floatTensor(rows, [2, width]) });
  await session.release();
  const whole = width * 127 * 127;
  const isExact = floatsOf(y!).every((value, i) => Math.abs(value - (i < columns ? whole : -whole)) < 1);
  if (isExact) return;
  throw new DomainError(
    'UnsupportedOp',
    "this processor's products of bytes are clipped: 8-bit weights need AVX-VNNI, AVX512-VNNI or an Arm of version 8.2; set rollout.weights=float32",
    {},
  );
}
