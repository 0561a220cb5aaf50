/** The engine itself, in the thread it runs in: resident versions, one lane of generation each, one training at a time. */
import { DomainError } from '../../../shared/errors.ts';
import { checkDecoderConfig } from '../../../shared/model/config.ts';
import { checkLora } from '../../../shared/model/lora.ts';
import { PolicyTokenizer } from '../tokenizer/policy-tokenizer.ts';
import { checkGenerate } from './check-request.ts';
import type {
  EngineOptions,
  EnginePromises,
  EngineStats,
  GenerateRequest,
  GradientRequest,
  LogProbRequest,
  MicroBatchGradient,
  PolicyEngine,
  PolicySource,
  RequestControl,
  SftRequest,
  StepRequest,
  Tensors,
  TrainResult,
  UpdateRequest,
} from './contract.ts';
import type { SampledTokens } from '../../../shared/domain/sampling.ts';
import { checkProvider } from './execution-provider.ts';
import { GenerationCounters } from './counters.ts';
import { DecoderGraphs } from './graphs.ts';
import { logProbs } from './log-probs.ts';
import { promisesOf } from './promises.ts';
import { makeResident } from './resident.ts';
import type { Resident } from './resident.ts';
import { gradients, sft, step, update } from './trainer.ts';
import type { Trained } from './trainer.ts';
import { VersionLanes } from './version-lanes.ts';

export class LocalEngine implements PolicyEngine {
  readonly promises: EnginePromises;
  private readonly options: EngineOptions;
  private readonly counters = new GenerationCounters();
  private readonly graphs = new Map<string, DecoderGraphs>();
  private readonly tokenizers = new Map<string, PolicyTokenizer>();
  private readonly versions = new Map<string, VersionLanes>();
  /** Unloaded versions whose calls have not ended. Nobody finds them by name: the same name can be loaded again meanwhile. */
  private readonly leaving = new Set<VersionLanes>();
  private generating = false;
  private training: Promise<unknown> = Promise.resolve();
  private nextCall = 0;
  private updates = 0;
  private trainedTokens = 0;
  private trainMs = 0;

  constructor(options: EngineOptions) {
    checkProvider(options.executionProvider);
    this.options = options;
    this.promises = promisesOf(options);
  }

  async loadPolicy(source: PolicySource): Promise<void> {
    if (this.versions.has(source.version)) return;
    const config = checkDecoderConfig(source.config);
    const { version, parameters, optimizer, untrainable, adapts } = source;
    const lora = adapts === undefined ? null : checkLora(config, adapts.lora);
    const frozen = adapts === undefined ? new Map<string, Float32Array>() : this.baseTensors(adapts.version);
    const graphs = once(
      this.graphs,
      JSON.stringify([config, lora]),
      () => new DecoderGraphs(config, this.options, lora),
    );
    const { tokenizerJson, tokenizerConfigJson, endOfTurnIds } = source;
    const texts = { tokenizerJson, tokenizerConfigJson, endOfTurnIds };
    const tokenizer = once(this.tokenizers, JSON.stringify([texts, config.vocabSize]), () =>
      PolicyTokenizer.of(texts, config.vocabSize),
    );
    this.adopt(makeResident(graphs, { version, parameters, frozen, optimizer, untrainable }, tokenizer));
  }

  async hasPolicy(version: string): Promise<boolean> {
    return this.versions.has(version);
  }

  async unloadPolicy(version: string): Promise<void> {
    const lanes = this.versions.get(version);
    if (lanes === undefined) return;
    this.versions.delete(version);
    this.leaving.add(lanes);
    while (!lanes.idle) await new Promise((resolve) => setTimeout(resolve, 5));
    this.leaving.delete(lanes);
    await lanes.release();
  }

  generate(request: GenerateRequest, control: Pick<RequestControl, 'signal'> = {}): Promise<SampledTokens> {
    return new Promise((resolve, reject) => {
      const version = this.version(request.version);
      checkGenerate(request, version.resident.graphs.config);
      const lane = version.lane(request.weights ?? 'float32');
      const { signal } = control;
      signal?.throwIfAborted();
      const id = this.nextCall++;
      signal?.addEventListener(
        'abort',
        () => {
          lane.cancel(id);
          reject(signal.reason as Error);
        },
        { once: true },
      );
      lane.add({ id, request, resolve, reject, sinceMs: performance.now() });
      if (!this.generating) void this.generateAll();
    });
  }

  update(request: UpdateRequest, control: RequestControl = {}): Promise<TrainResult> {
    return this.train(request, (base) => update(base, request, control), control.signal);
  }

  sft(request: SftRequest, control: RequestControl = {}): Promise<TrainResult> {
    return this.train(request, (base) => sft(base, request, control), control.signal);
  }

  gradients(request: GradientRequest, control: RequestControl = {}): Promise<MicroBatchGradient[]> {
    return this.inTurn(() => gradients(this.version(request.baseVersion).resident, request, control));
  }

  step(request: StepRequest): Promise<TrainResult> {
    return this.train(request, (base) => step(base, request));
  }

  async logProbs(request: LogProbRequest, control: Pick<RequestControl, 'signal'> = {}): Promise<Float32Array[]> {
    return logProbs(this.version(request.version).resident, request, control.signal);
  }

  async stats(): Promise<EngineStats> {
    const { counters } = this;
    const loads = this.lanes().map((lane) => lane.load);
    return {
      versions: [...this.versions.keys()],
      generatedTokens: counters.generatedTokens,
      prefilledTokens: counters.prefilledTokens,
      sharedPrefillTokens: counters.sharedPrefillTokens,
      decodeSteps: counters.decodeSteps,
      meanBatch: counters.meanBatch,
      generateMs: counters.generateMs,
      tokensPerSecond: counters.generateMs === 0 ? 0 : (1000 * counters.generatedTokens) / counters.generateMs,
      waiting: loads.reduce((sum, { waiting }) => sum + waiting, 0),
      active: loads.reduce((sum, { active }) => sum + active, 0),
      meanQueueMs: counters.meanQueueMs,
      updates: this.updates,
      trainedTokens: this.trainedTokens,
      trainMs: this.trainMs,
    };
  }

  async close(): Promise<void> {
    const died = new DomainError('EngineDied', 'the engine was closed');
    for (const lane of this.lanes()) lane.fail(died);
  }

  private lanes() {
    return [...this.versions.values(), ...this.leaving].flatMap(({ lanes }) => lanes);
  }

  private version(version: string): VersionLanes {
    const lanes = this.versions.get(version);
    if (lanes !== undefined) return lanes;
    throw new DomainError('InvalidInput', `policy version '${version}' is not loaded; load it first`, { version });
  }

  /** The tensors that an adapter can be put on. */
  private baseTensors(version: string): Tensors {
    const { graphs, parameters } = this.version(version).resident;
    if (graphs.lora === null) return parameters;
    throw new DomainError('InvalidInput', `policy version '${version}' is an adapter itself: expected whole weights`, {
      version,
    });
  }

  private adopt(resident: Resident): void {
    this.versions.set(resident.version, new VersionLanes(resident, this.options, this.counters));
  }

  /** Steps every busy lane in turn until all are idle. */
  private async generateAll(): Promise<void> {
    this.generating = true;
    // One turn of the event loop, so that calls that were asked for together start together.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const busy = this.lanes().filter((lane) => !lane.idle);
      if (busy.length === 0) break;
      for (const lane of busy) {
        const startedMs = performance.now();
        try {
          await lane.step();
        } catch (error) {
          lane.fail(error);
        }
        this.counters.generateMs += performance.now() - startedMs;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.generating = false;
  }

  private train(
    request: { baseVersion: string; newVersion: string },
    run: (base: Resident) => Promise<Trained>,
    signal?: AbortSignal,
  ): Promise<TrainResult> {
    return this.inTurn(async () => {
      const base = this.version(request.baseVersion).resident;
      const { state, metrics } = await run(base);
      // Who aborted waits for nothing, and would leave the version here.
      signal?.throwIfAborted();
      const { parameters, frozen, optimizer } = state;
      const { newVersion: version } = request;
      // A repeated request has made the same bits; the first copy stays.
      if (!this.versions.has(version))
        this.adopt(makeResident(base.graphs, { version, parameters, frozen, optimizer }, base.tokenizer));
      this.updates += 1;
      this.trainedTokens += metrics.tokens;
      this.trainMs += metrics.durationMs;
      return { version, parameters, optimizer, metrics };
    });
  }

  /** One training at a time. */
  private inTurn<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.training.then(task);
    this.training = result.catch(() => undefined);
    return result;
  }
}

function once<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
