/** Runs built graphs on ONNX Runtime for the engine tests, with plain typed arrays in and out. */
import * as ort from 'onnxruntime-node';
import { resolveDim } from '../../shared/graph/dims.ts';
import type { Value } from '../../shared/graph/graph.ts';
import type { DType } from '../../shared/graph/ops.ts';
import type { Kernels } from '../../shared/onnx/emitter.ts';
import { exportOnnx } from '../../shared/onnx/export.ts';
import type { OnnxFile } from '../../shared/onnx/onnx-model.ts';
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

const openSession = (onnx: OnnxFile, threads: number) =>
  ort.InferenceSession.create(onnx.bytes, {
    externalData: onnx.beside,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });

export interface TypedFeed {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | readonly number[];
}

interface PlainTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface OutputRunner {
  /** Runs once. Outputs by name, as plain numbers. */
  run(feeds: Readonly<Record<string, TypedFeed>>): Promise<Record<string, PlainTensor>>;
  close(): Promise<void>;
}

/** A graph of `shared/graph` alone, on ONNX Runtime; every listed input must be fed, needed or not. */
export async function openOutputs(
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value>>,
  threads: number,
  kernels: Kernels = 'cpu',
): Promise<OutputRunner> {
  const session = await openSession(exportOnnx(inputs, outputs, new Map(), { kernels }), threads);
  return {
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
        name,
        tensorOf(dtype, data, shape),
      ]);
      const results = await session.run(Object.fromEntries(tensors) as Record<string, ort.Tensor>);
      const plain = Object.entries(results).map(
        ([name, { dims, data }]) =>
          [name, { shape: [...dims], data: Array.from(data as ArrayLike<number | bigint>, Number) }] as const,
      );
      return Object.fromEntries(plain);
    },
    close: () => session.release(),
  };
}

export async function openGraph(built: BuiltGraph, threads = 1): Promise<Runner> {
  const session = await openSession(built.onnx, threads);
  return {
    async run(feeds, dims) {
      const bindings = new Map(Object.entries(dims));
      const tensors = built.inputs.map((spec) => [spec.name, toTensor(spec, feeds[spec.name], bindings)] as const);
      const results = await session.run(
        Object.fromEntries(tensors),
        built.outputs.map(({ name }) => name),
      );
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
    },
    close: () => session.release(),
  };
}

function toTensor(spec: TensorSpec, data: Feed | undefined, dims: ReadonlyMap<string, number>): ort.Tensor {
  if (!data) throw new TypeError(`no feed for ${spec.name}`);
  const shape = spec.shape.map((dim) => resolveDim(dim, dims));
  return tensorOf(spec.dtype, data, shape);
}

function tensorOf(dtype: DType, data: Feed, shape: readonly number[]): ort.Tensor {
  if (dtype === 'int64') return new ort.Tensor('int64', BigInt64Array.from(Array.from(data, BigInt)), shape);
  if (dtype === 'int8') return new ort.Tensor('int8', Int8Array.from(data), shape);
  if (dtype === 'bool') return new ort.Tensor('bool', Uint8Array.from(data), shape);
  return new ort.Tensor('float32', data instanceof Float32Array ? data : Float32Array.from(data), shape);
}
