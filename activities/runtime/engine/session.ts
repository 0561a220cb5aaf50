/**
 * One ONNX Runtime session on the CPU, and the tensors it takes. This is the only file of the engine that knows ONNX
 * Runtime. `run` blocks its thread for the whole graph; outputs are copies.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { BuiltGraph } from '../../../shared/model/interface.ts';
import { DomainError } from '../../../shared/errors.ts';

export type { Tensor };
export type Feeds = Record<string, Tensor>;

export interface SessionOptions {
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
  return new Tensor('int64', new BigInt64Array(words.buffer), shape);
}

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

export class GraphSession {
  readonly name: string;
  private readonly session: InferenceSession;

  private constructor(name: string, session: InferenceSession) {
    this.name = name;
    this.session = session;
  }

  static async create(name: string, graph: BuiltGraph, options: SessionOptions): Promise<GraphSession> {
    const session = await InferenceSession.create(graph.onnx, {
      executionProviders: ['cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // The memory pattern doubles the peak and is void for shapes that change.
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: options.spin ? '1' : '0' } } },
    });
    return new GraphSession(name, session);
  }

  /** `fetches` names outputs to write in place; the others are made anew. Yields to the event loop before it runs. */
  async run(feeds: Feeds, fetches?: Feeds): Promise<Feeds> {
    try {
      if (fetches === undefined) return await this.session.run(feeds);
      const wanted = Object.fromEntries(this.session.outputNames.map((name) => [name, fetches[name] ?? null]));
      return await this.session.run(feeds, wanted);
    } catch (error) {
      throw namedFailure(this.name, error);
    }
  }

  async release(): Promise<void> {
    await this.session.release();
  }
}
