/**
 * The ONNX sessions of one decoder, built when first needed and shared by all versions: weights and adapters are graph
 * inputs.
 */
import { buildAdamWGraph } from '../../../shared/model/adamw-graph.ts';
import { buildDecodeGraph } from '../../../shared/model/decode-graph.ts';
import { buildDecodeChunkGraph } from '../../../shared/model/decode-chunk-graph.ts';
import { buildGradientGraph } from '../../../shared/model/gradient-graph.ts';
import { buildLogProbGraph } from '../../../shared/model/log-prob-graph.ts';
import { buildMiniBatchGraph } from '../../../shared/model/mini-batch-graph.ts';
import { buildPrefillGraph } from '../../../shared/model/prefill-graph.ts';
import { adapterShapes } from '../../../shared/model/lora.ts';
import type { LoraSpec } from '../../../shared/model/lora.ts';
import { parameterShapes } from '../../../shared/model/parameters.ts';
import { piecesFor, piecesForAll } from '../../../shared/model/pieces.ts';
import type { SequenceShape } from '../../../shared/model/pieces.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import type {
  AdapterOptions,
  BuiltGraph,
  GenerationGraphOptions,
  HalfOptions,
  KernelOptions,
  LossSpec,
  Precision,
  WeightOptions,
} from '../../../shared/model/interface.ts';
import { halfWeights } from '../../../shared/model/half.ts';
import type { Kernels } from '../../../shared/onnx/emitter.ts';
import type { Constants } from '../../../shared/onnx/onnx-model.ts';
import { asConstants, isHalf } from './constants.ts';
import type { AdamSettings, EngineOptions, Tensors, TrainingPrecision } from './contract.ts';
import type { ExecutionProvider } from './execution-provider.ts';
import { GraphSession } from './session.ts';

/** `chunk` decodes several tokens; `sorted chunk` also for calls with a top-k or a top-p. */
export type GenerationKind = 'prefill' | 'decode' | 'chunk' | 'sorted chunk';

type Builder = (config: DecoderConfig, options: GenerationGraphOptions) => BuiltGraph;
const buildersOf = (chunk: number): Record<GenerationKind, Builder> => ({
  prefill: buildPrefillGraph,
  decode: buildDecodeGraph,
  chunk: (config, options) => buildDecodeChunkGraph(config, { ...options, chunk, truncates: false }),
  'sorted chunk': (config, options) => buildDecodeChunkGraph(config, { ...options, chunk, truncates: true }),
});

/** Of a training, beyond its loss. */
export interface GradientSettings {
  readonly recompute: boolean;
  readonly precision: TrainingPrecision;
}

const defaultConstantBytes = { cpu: 512 * 2 ** 20, cuda: 16 * 2 ** 30, webgpu: 0 };

/** Training sessions in which weights are constants; they go with the weights. */
const onWeights = new WeakMap<Tensors, Map<string, Promise<GraphSession>>>();

function sessionsOn(weights: Tensors): Map<string, Promise<GraphSession>> {
  const known = onWeights.get(weights) ?? new Map<string, Promise<GraphSession>>();
  onWeights.set(weights, known);
  return known;
}

/** Who keeps a session, and what it runs on. */
interface Place {
  readonly sessions?: Map<string, Promise<GraphSession>>;
  readonly provider?: ExecutionProvider;
}

export class DecoderGraphs {
  readonly config: DecoderConfig;
  readonly lora: LoraSpec | null;
  readonly options: EngineOptions;
  /** Of the tensors that training changes: all, or with `lora` the adapters. */
  readonly learned: ReadonlyMap<string, readonly number[]>;
  /** Of the tensors that it does not. */
  readonly frozen: ReadonlyMap<string, readonly number[]>;
  private readonly sessions = new Map<string, Promise<GraphSession>>();
  private readonly kernels: Kernels;
  /** Whether a mini-batch runs as one graph. */
  readonly wholeMiniBatches: boolean;

  constructor(config: DecoderConfig, options: EngineOptions, lora: LoraSpec | null = null) {
    this.config = config;
    this.lora = lora;
    const shapes = parameterShapes(config);
    this.learned = lora === null ? shapes : adapterShapes(config, lora);
    this.frozen = lora === null ? new Map() : shapes;
    this.options = options;
    const isDevice = options.executionProvider === 'cuda';
    this.kernels = isDevice ? 'cuda' : 'cpu';
    this.wholeMiniBatches = options.wholeMiniBatches ?? isDevice;
  }

  /** `weights`: tensors that become constants of a session of the caller's own. Without, all versions share the session. */
  generation(kind: GenerationKind, precision: Precision, weights?: Constants): Promise<GraphSession> {
    const { config, lora, options, kernels } = this;
    const build = buildersOf(options.decodeChunk ?? 1)[kind];
    const graph = () => build(config, { lora, weights, precision, kernels });
    if (weights === undefined) return this.session(`${kind} ${precision}`, options.decodeThreads, graph);
    // Products of bytes are the CPU's (byte-products.ts).
    const provider = precision === 'int8' ? 'cpu' : options.executionProvider;
    return GraphSession.create(kind, graph(), { provider, threads: options.decodeThreads, spin: options.spin });
  }

  /** `base`: as in `gradient`. */
  logProbs(shape: SequenceShape, precision: TrainingPrecision, base: Tensors): Promise<GraphSession> {
    return this.onBase('log-prob', { ...piecesFor(this.config, shape), precision }, base, (options) =>
      buildLogProbGraph(this.config, options),
    );
  }

  /** `base`: the weights under adapters. Where the options say so, they are constants of sessions that all adapters share. */
  gradient(loss: LossSpec, shape: SequenceShape, settings: GradientSettings, base: Tensors): Promise<GraphSession> {
    const options = { ...piecesFor(this.config, shape), loss, ...settings, accumulate: true };
    return this.onBase('gradient', options, base, (given) => buildGradientGraph(this.config, { ...options, ...given }));
  }

  /** The same for a whole mini-batch of micro-batches of these shapes (`buildMiniBatchGraph`). */
  miniBatch(
    loss: LossSpec,
    shapes: readonly SequenceShape[],
    settings: GradientSettings,
    base: Tensors,
  ): Promise<GraphSession> {
    const options = { ...piecesForAll(this.config, shapes), loss, ...settings };
    return this.onBase('mini-batch', options, base, (given) =>
      buildMiniBatchGraph(this.config, { ...options, ...given }),
    );
  }

  private onBase<Options extends HalfOptions>(
    kind: string,
    options: Options,
    base: Tensors,
    build: (options: Options & AdapterOptions & WeightOptions & HalfOptions & KernelOptions) => BuiltGraph,
  ): Promise<GraphSession> {
    const { lora, kernels } = this;
    const { executionProvider, constantBase = executionProvider === 'cuda', trainThreads } = this.options;
    const { precision = 'float32' } = options;
    const isConstant = constantBase && this.areConstants(base, precision);
    return this.session(
      // Adapters of one base may differ in how it is computed.
      `${kind} ${JSON.stringify({ ...options, lora, config: this.config })}`,
      trainThreads,
      () =>
        build({
          ...options,
          lora,
          kernels,
          weights: isConstant ? asConstants(this.config, base, precision) : undefined,
        }),
      isConstant ? { sessions: sessionsOn(base) } : {},
    );
  }

  /** Runs where weights and moments are: on a device all of them would cross its bus, there and back. */
  adamW({ beta1, beta2, epsilon, weightDecay, maxGradNorm }: AdamSettings): Promise<GraphSession> {
    const settings = { beta1, beta2, eps: epsilon, weightDecay, maxGradNorm: maxGradNorm === 0 ? null : maxGradNorm };
    const name = `adamw ${JSON.stringify(settings)}`;
    return this.session(name, this.options.trainThreads, () => buildAdamWGraph(this.learned, settings), {
      provider: 'cpu',
    });
  }

  /** Whether there are tensors, and few enough bytes of them to stand in a graph. */
  areConstants(tensors: Tensors, precision: Precision): boolean {
    const rounded = isHalf(precision) ? halfWeights(this.config) : new Set<string>();
    const bytes = [...tensors].reduce(
      (sum, [name, { byteLength }]) => sum + (rounded.has(name) ? byteLength / 2 : byteLength),
      0,
    );
    return (
      bytes > 0 && bytes <= (this.options.constantWeightBytes ?? defaultConstantBytes[this.options.executionProvider])
    );
  }

  private session(
    name: string,
    threads: number,
    build: () => BuiltGraph,
    { sessions = this.sessions, provider = this.options.executionProvider }: Place = {},
  ): Promise<GraphSession> {
    let session = sessions.get(name);
    if (session === undefined) {
      session = GraphSession.create(name, build(), { provider, threads, spin: this.options.spin });
      sessions.set(name, session);
    }
    return session;
  }
}
