/** What the machine can do at most, as ONNX Runtime reaches it: matrix products and reading memory. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { gemm, sum } from '../../shared/graph/build.ts';
import { Graph, type Value } from '../../shared/graph/graph.ts';
import { exportOnnx } from '../../shared/onnx/export.ts';

async function best(
  threads: number,
  build: (graph: Graph) => Value,
  feeds: Record<string, Tensor>,
  rounds: number,
): Promise<number> {
  const graph = new Graph();
  const output = build(graph);
  const session = await InferenceSession.create(exportOnnx(graph.inputs, { y: output }).bytes, {
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
  });
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await session.run(feeds);
    least = Math.min(least, performance.now() - started);
  }
  await session.release();
  return least;
}

/** FLOP/s of square products, best of many. */
export async function peakFlops(threads: number): Promise<number> {
  const side = 1536;
  const matrix = new Tensor('float32', new Float32Array(side * side).fill(0.5), [side, side]);
  const build = (graph: Graph) => {
    const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'float32', [side, side]));
    return sum(gemm(gemm(a!, b!), b!));
  };
  const ms = await best(threads, build, { a: matrix, b: matrix }, 12);
  return (4 * side ** 3) / (ms / 1000);
}

/** Bytes a second of one thread that reads more than the caches hold, best of many: a search for a byte that is not there. */
export function readBandwidth(): number {
  // Filled: pages of zeros that nobody wrote are all one page.
  const bytes = Buffer.alloc(512 * 2 ** 20, 2);
  let least = Infinity;
  for (let round = 0; round < 12; round++) {
    const started = performance.now();
    if (bytes.includes(1)) throw new Error('twos hold a one');
    least = Math.min(least, performance.now() - started);
  }
  return bytes.length / (least / 1000);
}
