/**
 * The parts of an ONNX ModelProto that a graph needs (field numbers: onnx/onnx.proto). Knows names and bytes; does not
 * know what an op means.
 */
import type { Dim } from '../graph/dims.ts';
import type { DType, HalfFormat } from '../graph/ops.ts';
import { ProtoWriter } from './wire.ts';

export type OnnxAttribute =
  number | { readonly float: number } | { readonly ints: readonly number[] } | { readonly graph: OnnxGraph } | string;

export interface OnnxNode {
  readonly type: string;
  /** '' is the standard domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** Types that no graph value has stand in constants of the rules. */
export type ElementType = DType | HalfFormat | 'uint8';

/** Numbers in 16 bits: their bits, row-major. */
export interface Halves {
  readonly format: HalfFormat;
  readonly words: Uint16Array;
}

/** Values of inputs that become constants of a model, by name. */
export type Constants = ReadonlyMap<string, Float32Array | Int8Array | Halves>;

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int8Array | Uint16Array | readonly number[];
  /** The numbers stand beside the model: protobuf holds no more than 2 GiB. */
  readonly isBeside?: boolean;
}

/** A model's bytes, and those that stand beside it, each by the path that the model knows it by. */
export interface OnnxFile {
  readonly bytes: Uint8Array;
  readonly beside: readonly { readonly path: string; readonly data: Uint8Array }[];
}

export interface OnnxPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Name of a further output, the first: an empty sequence. */
  readonly marker?: string;
}

/** TensorProto.DataType. */
export const elementTypes: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
};

/** File format 9 and standard operators 20 are read by every ONNX Runtime since 1.17. */
const irVersion = 9;
const standardOpset = 20;

export function encodeModel(graph: OnnxGraph): OnnxFile {
  const beside = graph.constants.filter(({ isBeside }) => isBeside);
  const bytes = new ProtoWriter()
    .varint(1, irVersion)
    .bytes(2, 'metaagentx')
    .bytes(7, encodeGraph(graph))
    .bytes(8, new ProtoWriter().bytes(1, '').varint(2, standardOpset))
    .bytes(8, new ProtoWriter().bytes(1, 'com.microsoft').varint(2, 1))
    .finish();
  return { bytes, beside: beside.map(({ name, dtype, data }) => ({ path: name, data: rawData(dtype, data) })) };
}

function encodeGraph(graph: OnnxGraph): ProtoWriter {
  const body = new ProtoWriter();
  if (graph.marker !== undefined) {
    const type = 'SequenceEmpty';
    body.bytes(1, encodeNode({ type, domain: '', inputs: [], outputs: [graph.marker], attributes: {} }));
  }
  for (const node of graph.nodes) body.bytes(1, encodeNode(node));
  body.bytes(2, 'graph');
  for (const constant of graph.constants) body.bytes(5, encodeTensor(constant));
  for (const input of graph.inputs) body.bytes(11, encodePort(input));
  if (graph.marker !== undefined) body.bytes(12, encodeMarker(graph.marker));
  for (const output of graph.outputs) body.bytes(12, encodePort(output));
  return body;
}

function encodeNode(node: OnnxNode): ProtoWriter {
  const out = new ProtoWriter();
  for (const name of node.inputs) out.bytes(1, name);
  for (const name of node.outputs) out.bytes(2, name);
  out.bytes(4, node.type);
  for (const [name, value] of Object.entries(node.attributes)) out.bytes(5, encodeAttribute(name, value));
  return node.domain === '' ? out : out.bytes(7, node.domain);
}

/** AttributeProto: 1 name, 2 float, 3 int, 4 string, 6 graph, 8 ints, 20 type. */
function encodeAttribute(name: string, value: OnnxAttribute): ProtoWriter {
  const out = new ProtoWriter().bytes(1, name);
  if (typeof value === 'number') return out.varint(3, value).varint(20, 2);
  if (typeof value === 'string') return out.bytes(4, value).varint(20, 3);
  if ('float' in value) return out.float(2, value.float).varint(20, 1);
  if ('graph' in value) return out.bytes(6, encodeGraph(value.graph)).varint(20, 5);
  for (const entry of value.ints) out.varint(8, entry);
  return out.varint(20, 7);
}

/**
 * TensorProto: 1 dims, 2 data type, 8 name, 9 raw little-endian data, or 13 its place as pairs of strings and 14 a mark for it.
 */
function encodeTensor({ name, dtype, shape, data, isBeside }: OnnxTensor): ProtoWriter {
  const out = new ProtoWriter();
  for (const size of shape) out.varint(1, size);
  out.varint(2, elementTypes[dtype]).bytes(8, name);
  if (!isBeside) return out.bytes(9, rawData(dtype, data));
  return out.bytes(13, new ProtoWriter().bytes(1, 'location').bytes(2, name)).varint(14, 1);
}

function rawData(dtype: ElementType, data: OnnxTensor['data']): Uint8Array {
  if (data instanceof Int8Array || data instanceof Uint16Array)
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === 'bool' || dtype === 'uint8') return Uint8Array.from(data);
  if (dtype === 'int8') return new Uint8Array(Int8Array.from(data).buffer);
  const typed =
    dtype === 'int64'
      ? BigInt64Array.from(Array.from(data, BigInt))
      : data instanceof Float32Array
        ? data
        : Float32Array.from(data);
  return new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
}

/** ValueInfoProto: 1 name, 2 TypeProto{1 tensor{1 element type, 2 shape{1 dim{1 value, 2 name}}}}. */
function encodePort({ name, dtype, shape }: OnnxPort): ProtoWriter {
  const dims = new ProtoWriter();
  for (const dim of shape) {
    dims.bytes(1, typeof dim === 'number' ? new ProtoWriter().varint(1, dim) : new ProtoWriter().bytes(2, dim));
  }
  const tensorType = new ProtoWriter().varint(1, elementTypes[dtype]).bytes(2, dims);
  return new ProtoWriter().bytes(1, name).bytes(2, new ProtoWriter().bytes(1, tensorType));
}

/** ValueInfoProto of a sequence of float tensors: 2 TypeProto{4 sequence{1 TypeProto}}. */
function encodeMarker(name: string): ProtoWriter {
  const element = new ProtoWriter().bytes(1, new ProtoWriter().varint(1, elementTypes.float32));
  return new ProtoWriter().bytes(1, name).bytes(2, new ProtoWriter().bytes(4, new ProtoWriter().bytes(1, element)));
}
