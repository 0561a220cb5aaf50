/** Runs built graphs on ONNX Runtime for the engine tests, with plain typed arrays in and out. */
import * as ort from 'onnxruntime-node';
import { resolveDim } from '../../shared/graph/dims.ts';
import type { BuiltGraph, TensorSpec } from '../../shared/model/interface.ts';

export type Feed = Float32Array | readonly number[];

export interface Runner {
  /** Runs once; `dims` gives the symbolic dimensions. Outputs by name, in number arrays. */
  run(
    feeds: Readonly<Record<string, Feed>>,
    dims: Readonly<Record<string, number>>,
  ): Promise<Record<string, Float32Array>>;
  close(): Promise<void>;
}

export async function openGraph(built: BuiltGraph, threads = 1): Promise<Runner> {
  const session = await ort.InferenceSession.create(built.onnx, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return {
    async run(feeds, dims) {
      const bindings = new Map(Object.entries(dims));
      const tensors = built.inputs.map((spec) => [spec.name, toTensor(spec, feeds[spec.name], bindings)] as const);
      const results = await session.run(Object.fromEntries(tensors));
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
    },
    close: () => session.release(),
  };
}

function toTensor(spec: TensorSpec, data: Feed | undefined, dims: ReadonlyMap<string, number>): ort.Tensor {
  if (!data) throw new TypeError(`no feed for ${spec.name}`);
  const shape = spec.shape.map((dim) => resolveDim(dim, dims));
  if (spec.dtype === 'int64') return new ort.Tensor('int64', BigInt64Array.from(Array.from(data, BigInt)), shape);
  return new ort.Tensor('float32', data instanceof Float32Array ? data : Float32Array.from(data), shape);
}
