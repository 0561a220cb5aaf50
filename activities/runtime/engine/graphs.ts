/**
 * The ONNX sessions of one decoder, built when first needed and shared by all versions: weights and adapters are graph
 * inputs.
 */
import { buildAdamWGraph } from '../../../shared/model/adamw-graph.ts';
import { buildDecodeGraph } from '../../../shared/model/decode-graph.ts';
import { buildDecodeChunkGraph } from '../../../shared/model/decode-chunk-graph.ts';
import { buildGradientGraph } from '../../../shared/model/gradient-graph.ts';
import { buildLogProbGraph } from '../../../shared/model/log-prob-graph.ts';
import { buildPrefillGraph } from '../../../shared/model/prefill-graph.ts';
import { adapterShapes } from '../../../shared/model/lora.ts';
import type { LoraSpec } from '../../../shared/model/lora.ts';
import { parameterShapes } from '../../../shared/model/parameters.ts';
import { piecesFor } from '../../../shared/model/pieces.ts';
import type { SequenceShape } from '../../../shared/model/pieces.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import type { BuiltGraph, GenerationGraphOptions, LossSpec } from '../../../shared/model/interface.ts';
import type { AdamSettings, EngineOptions, Tensors } from './contract.ts';
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

const defaultConstantBytes = 512 << 20;

/** Training sessions in which weights are constants; they go with the weights. */
const onWeights = new WeakMap<Tensors, Map<string, Promise<GraphSession>>>();

function sessionsOn(weights: Tensors): Map<string, Promise<GraphSession>> {
  const known = onWeights.get(weights) ?? new Map<string, Promise<GraphSession>>();
  onWeights.set(weights, known);
  return known;
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

  constructor(config: DecoderConfig, options: EngineOptions, lora: LoraSpec | null = null) {
    this.config = config;
    this.lora = lora;
    const shapes = parameterShapes(config);
    this.learned = lora === null ? shapes : adapterShapes(config, lora);
    this.frozen = lora === null ? new Map() : shapes;
    this.options = options;
  }

  /** `weights`: tensors that become constants of a session of the caller's own. Without, all versions share the session. */
  generation(
    kind: GenerationKind,
    weights?: ReadonlyMap<string, Float32Array | Int8Array>,
    int8 = false,
  ): Promise<GraphSession> {
    const { config, lora, options } = this;
    const build = buildersOf(options.decodeChunk ?? 1)[kind];
    if (weights === undefined) return this.session(kind, options.decodeThreads, () => build(config, { lora }));
    // Products of bytes are the CPU's (byte-products.ts).
    const provider = int8 ? 'cpu' : options.executionProvider;
    const settings = { provider, threads: options.decodeThreads, spin: options.spin };
    return GraphSession.create(kind, build(config, { lora, weights, int8 }), settings);
  }

  logProbs(shape: SequenceShape): Promise<GraphSession> {
    const options = { ...piecesFor(this.config, shape), lora: this.lora };
    return this.session(`log-prob ${JSON.stringify(options)}`, this.options.trainThreads, () =>
      buildLogProbGraph(this.config, options),
    );
  }

  /** `base`: the weights under adapters. Where the options say so, they are constants of sessions that all adapters share. */
  gradient(loss: LossSpec, shape: SequenceShape, recompute: boolean, base: Tensors): Promise<GraphSession> {
    const options = { ...piecesFor(this.config, shape), lora: this.lora, loss, recompute, accumulate: true };
    const { executionProvider, constantBase = executionProvider === 'cuda', trainThreads } = this.options;
    const weights = constantBase && this.areConstants(base) ? base : undefined;
    return this.session(
      `gradient ${JSON.stringify(options)}`,
      trainThreads,
      () => buildGradientGraph(this.config, { ...options, weights }),
      weights === undefined ? this.sessions : sessionsOn(weights),
    );
  }

  adamW({ beta1, beta2, epsilon, weightDecay, maxGradNorm }: AdamSettings): Promise<GraphSession> {
    const settings = { beta1, beta2, eps: epsilon, weightDecay, maxGradNorm: maxGradNorm === 0 ? null : maxGradNorm };
    return this.session(`adamw ${JSON.stringify(settings)}`, this.options.trainThreads, () =>
      buildAdamWGraph(this.learned, settings),
    );
  }

  /** Whether there are tensors, and few enough bytes of them to stand in a graph. */
  areConstants(tensors: Tensors): boolean {
    const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.byteLength, 0);
    return bytes > 0 && bytes <= (this.options.constantWeightBytes ?? defaultConstantBytes);
  }

  private session(
    name: string,
    threads: number,
    build: () => BuiltGraph,
    sessions = this.sessions,
  ): Promise<GraphSession> {
    let session = sessions.get(name);
    if (session === undefined) {
      const { executionProvider: provider, spin } = this.options;
      session = GraphSession.create(name, build(), { provider, threads, spin });
      sessions.set(name, session);
    }
    return session;
  }
}
