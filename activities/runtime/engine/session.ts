/**
 * One ONNX Runtime session, and the tensors it takes. This is the only file of the engine that knows ONNX
 * Runtime. `run` blocks its thread for the whole graph; outputs are written in place, never copied.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { resolveDim } from '../../../shared/graph/dims.ts';
import { inPlaceOutput, type BuiltGraph } from '../../../shared/model/interface.ts';
import { DomainError } from '../../../shared/errors.ts';
import { providerFailure } from './execution-provider.ts';
import type { ExecutionProvider } from './execution-provider.ts';

export type { Tensor };
export type Feeds = Record<string, Tensor>;

export interface SessionOptions {
  provider: ExecutionProvider;
  threads: number;
  spin: boolean;
}

/** A float tensor over `data`, without a copy. */
export const floatTensor = (data: Float32Array, shape: readonly number[]) => new Tensor('float32', data, shape);

export const scalarTensor = (value: number) => new Tensor('float32', Float32Array.of(value), []);

/** An int64 tensor of whole numbers from 0 to 2^31 - 1; the words are written directly because BigInt is slow. */
export function intTensor(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const words = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i]!;
  return wordTensor(new BigInt64Array(words.buffer), shape);
}

export const wordTensor = (words: BigInt64Array, shape: readonly number[]) => new Tensor('int64', words, shape);

export const floatsOf = (tensor: Tensor) => tensor.data as Float32Array;

function namedFailure(graph: string, error: unknown): unknown {
  const text = String(error);
  if (!/allocat|bad_alloc|out of memory/i.test(text)) {
    return new Error(`the ${graph} graph failed in ONNX Runtime: ${text}`, { cause: error });
  }
  return new DomainError(
    'DeviceOutOfMemory',
    `the ${graph} graph ran out of memory: ${text}. Lower maxBatch, maxPrefillTokens or maxTokensPerMicroBatch.`,
    { graph },
    { cause: error },
  );
}

/** What the binding says when it meets `inPlaceOutput`; by then every other output stands in its array. */
const isFilled = (error: unknown) => String(error).includes('Non tensor type');

export class GraphSession {
  readonly name: string;
  private readonly session: InferenceSession;
  private readonly graph: Omit<BuiltGraph, 'onnx'>;

  private constructor(name: string, session: InferenceSession, { inputs, outputs }: BuiltGraph) {
    this.name = name;
    this.session = session;
    this.graph = { inputs, outputs };
  }

  static async create(name: string, graph: BuiltGraph, options: SessionOptions): Promise<GraphSession> {
    const session = await InferenceSession.create(graph.onnx.bytes, {
      externalData: graph.onnx.beside,
      executionProviders: options.provider === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // The memory pattern doubles the peak and is void for shapes that change.
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: options.spin ? '1' : '0' } } },
    }).catch((error: unknown) => {
      throw providerFailure(options.provider, error) ?? error;
    });
    return new GraphSession(name, session, graph);
  }

  /**
   * All outputs; those named in `fetches` are written into the given arrays, which may be arrays that are fed, the others
   * into new ones. Yields to the event loop before it runs.
   */
  async run(feeds: Feeds, fetches: Feeds = {}): Promise<Feeds> {
    const outputs = this.outputs(feeds, fetches);
    // Weights that are constants of this graph are fed to others.
    const needed = Object.fromEntries(this.graph.inputs.map(({ name }) => [name, feeds[name]!]));
    try {
      await this.session.run(needed, { ...outputs, [inPlaceOutput]: null });
    } catch (error) {
      if (!isFilled(error)) throw namedFailure(this.name, error);
    }
    return outputs;
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private outputs(feeds: Feeds, fetches: Feeds): Feeds {
    const dims = new Map<string, number>();
    for (const { name, shape } of this.graph.inputs) {
      shape.forEach((dim, axis) => typeof dim === 'string' && dims.set(dim, feeds[name]!.dims[axis]!));
    }
    const made = ({ shape }: BuiltGraph['outputs'][number]) => {
      const sizes = shape.map((dim) => resolveDim(dim, dims));
      return floatTensor(new Float32Array(sizes.reduce((product, size) => product * size, 1)), sizes);
    };
    return Object.fromEntries(this.graph.outputs.map((spec) => [spec.name, fetches[spec.name] ?? made(spec)]));
  }
}
