/**
 * Continuous batching for one version in one kind of weights: waiting calls are admitted before every step, all admitted calls advance by one
 * token a step, a finished call's row is taken by the last one. What a call samples depends on its weights, prompt,
 * settings and seed alone.
 */
import { streamKey, uniform } from '../../../shared/random.ts';
import type { StreamKey } from '../../../shared/random.ts';
import type { SampledTokens } from '../../../shared/domain/sampling.ts';
import { createStopMatcher } from '../tokenizer/stop-matcher.ts';
import type { StopMatcher } from '../tokenizer/stop-matcher.ts';
import type { EngineOptions, GenerateRequest } from './contract.ts';
import { decodeHeadMultiple } from '../../../shared/model/interface.ts';
import { DecodeCache, fewestRows } from './decode-cache.ts';
import { TokenDrawer } from './draw-token.ts';
import type { GenerationCounters } from './counters.ts';
import { chunkFeeds, finite, truncates } from './chunk-feeds.ts';
import type { GenerationSessions } from './generation-sessions.ts';
import { prefill } from './prefill.ts';
import type { Resident } from './resident.ts';
import { floatTensor, floatsOf, intTensor } from './session.ts';

export interface Waiting {
  id: number;
  request: GenerateRequest;
  resolve(sampled: SampledTokens): void;
  reject(error: unknown): void;
  sinceMs: number;
}

interface Call extends Waiting {
  key: StreamKey;
  stops: ReadonlySet<number>;
  matcher: StopMatcher;
  tokens: number[];
  logProbs: number[];
  /** Tokens in the cache. */
  length: number;
  cancelled: boolean;
}

export class Lane {
  private readonly resident: Resident;
  private readonly generation: GenerationSessions;
  private readonly options: EngineOptions;
  private readonly counters: GenerationCounters;
  private readonly waiting: Waiting[] = [];
  /** In row order. */
  private readonly active: Call[] = [];
  private readonly cache: DecodeCache;
  private readonly drawer: TokenDrawer;
  private logits = new Float32Array(0);

  constructor(
    resident: Resident,
    generation: GenerationSessions,
    options: EngineOptions,
    counters: GenerationCounters,
  ) {
    this.resident = resident;
    this.generation = generation;
    this.options = options;
    this.counters = counters;
    this.cache = new DecodeCache(resident.graphs.config);
    this.drawer = new TokenDrawer(resident.graphs.config.vocabSize);
  }

  get load(): { waiting: number; active: number } {
    return { waiting: this.waiting.length, active: this.active.length };
  }

  get idle(): boolean {
    return this.waiting.length === 0 && this.active.length === 0;
  }

  add(call: Waiting): void {
    this.waiting.push(call);
  }

  /** A waiting call leaves at once, an active one before the next step. */
  cancel(id: number): void {
    const at = this.waiting.findIndex((call) => call.id === id);
    if (at >= 0) this.waiting.splice(at, 1);
    const call = this.active.find((active) => active.id === id);
    if (call !== undefined) call.cancelled = true;
  }

  fail(error: unknown): void {
    for (const call of [...this.waiting.splice(0), ...this.active.splice(0)]) call.reject(error);
  }

  /** Admits what fits and advances every active call by one token. */
  async step(): Promise<void> {
    this.release((call) => call.cancelled);
    await this.admit();
    const { decodeChunk = 1, executionProvider } = this.options;
    // On a device a step of its own would move the whole cache there and back; no step of its own has heads of other widths.
    const { headDim } = this.resident.graphs.config;
    const inChunks = decodeChunk > 1 || executionProvider !== 'cpu' || headDim % decodeHeadMultiple !== 0;
    if (this.active.length > 0) await (inChunks ? this.decodeChunk() : this.decode());
  }

  private async admit(): Promise<void> {
    const admitted = this.waiting.splice(0, this.options.maxBatch - this.active.length).map((call) => this.open(call));
    if (admitted.length === 0) return;
    const longest = Math.max(
      ...[...this.active, ...admitted].map((call) => Math.max(call.length, call.request.promptIds.length)),
    );
    const first = this.active.length;
    this.cache.reserve(first + admitted.length, longest, first);
    this.active.push(...admitted);
    const prompts = admitted.map((call) => call.request.promptIds);
    for await (const { prompts: group, width, outputs } of prefill(
      this.generation,
      prompts,
      this.options.maxPrefillTokens,
    )) {
      const logits = floatsOf(outputs.logits!);
      group.forEach(({ promptIds, calls }, row) => {
        this.counters.prefilled(promptIds.length, calls.length);
        for (const index of calls) {
          const call = admitted[index]!;
          this.cache.fill(first + index, outputs, row, width, promptIds.length);
          call.length = promptIds.length;
          this.draw(call, logits, row);
        }
      });
    }
    const isNew = new Set(admitted);
    this.release((call) => isNew.has(call) && this.isDone(call));
  }

  private async decode(): Promise<void> {
    const { active, cache } = this;
    const rows = Math.max(active.length, fewestRows);
    cache.reserve(rows, Math.max(...active.map((call) => call.length)), active.length);
    const ids = new Int32Array(rows);
    const lengths = new Int32Array(rows);
    active.forEach((call, row) => {
      ids[row] = call.tokens.at(-1)!;
      lengths[row] = call.length;
    });
    const { generation } = this;
    const session = await generation.decode();
    const { feeds, fetches } = cache.views(rows);
    const logits = this.logitsOf(rows);
    await session.run(
      {
        ...generation.feeds,
        ...feeds,
        input_ids: intTensor(ids, [rows]),
        lengths: intTensor(lengths, [rows]),
      },
      { ...fetches, logits: floatTensor(logits, [rows, this.resident.graphs.config.vocabSize]) },
    );
    this.counters.stepped(active.length);
    active.forEach((call, row) => {
      call.length += 1;
      this.draw(call, logits, row);
    });
    this.release((call) => this.isDone(call));
  }

  /** Several steps in one graph run; what a row has after its end is left. */
  private async decodeChunk(): Promise<void> {
    const { active, cache, resident } = this;
    const chunk = this.options.decodeChunk ?? 1;
    const rows = Math.max(active.length, fewestRows);
    cache.reserve(rows, Math.max(...active.map((call) => call.length)) + chunk, active.length);
    const session = await this.generation.chunk(truncates(active));
    const outputs = await session.run({
      ...this.generation.feeds,
      ...cache.views(rows).feeds,
      ...chunkFeeds(active, rows, chunk, resident.graphs.config.maxPositions),
    });
    const [tokens, logProbs] = [floatsOf(outputs.tokens!), floatsOf(outputs.log_probs!)];
    const before = active.map((call) => call.length);
    const ended = new Set<Call>();
    active.forEach((call, row) => {
      for (let step = 0; step < chunk && !ended.has(call); step++) {
        call.length += 1;
        call.tokens.push(tokens[step * rows + row]!);
        call.logProbs.push(finite(logProbs[step * rows + row]!));
        if (this.isDone(call)) ended.add(call);
      }
    });
    const counts = active.map((call, row) => call.length - before[row]!);
    cache.appendChunk(outputs, before, counts);
    for (let step = 0; step < Math.max(...counts); step++) {
      this.counters.stepped(counts.filter((count) => count > step).length);
    }
    this.release((call) => ended.has(call));
  }

  /** What a step's logits are written into; one array as long as the number of rows stays. */
  private logitsOf(rows: number): Float32Array {
    const length = rows * this.resident.graphs.config.vocabSize;
    if (this.logits.length !== length) this.logits = new Float32Array(length);
    return this.logits;
  }

  private open(call: Waiting): Call {
    this.counters.admitted(performance.now() - call.sinceMs);
    const { request } = call;
    const { tokenizer } = this.resident;
    return {
      ...call,
      key: streamKey(request.seedKey),
      stops: new Set(request.stopTokenIds ?? tokenizer.endOfTurnIds),
      matcher: createStopMatcher(tokenizer, request.sampling.stopStrings),
      tokens: [],
      logProbs: [],
      length: 0,
      cancelled: false,
    };
  }

  private draw(call: Call, logits: Float32Array, row: number): void {
    const vocabSize = this.resident.graphs.config.vocabSize;
    const token = this.drawer.draw(
      logits,
      row * vocabSize,
      call.request.sampling,
      uniform(call.key, call.tokens.length),
    );
    call.tokens.push(token);
    call.logProbs.push(this.drawer.logProb);
  }

  private isDone(call: Call): boolean {
    const last = call.tokens.at(-1)!;
    const stopped = call.stops.has(last) || call.matcher.push(last);
    const { maxPositions } = this.resident.graphs.config;
    const full =
      call.tokens.length >= call.request.sampling.maxTokens ||
      call.request.promptIds.length + call.tokens.length >= maxPositions;
    if (!stopped && !full) return false;
    call.resolve({
      tokenIds: Int32Array.from(call.tokens),
      logProbs: Float32Array.from(call.logProbs),
      finishReason: stopped ? 'stop' : 'length',
    });
    return true;
  }

  /** Takes out the calls that `leaves` names; each call is asked once. */
  private release(leaves: (call: Call) => boolean): void {
    const { active, cache } = this;
    const leaving = active.map(leaves);
    for (let row = active.length - 1; row >= 0; row--) {
      if (!leaving[row]) continue;
      const last = active.length - 1;
      if (row !== last) {
        cache.move(last, row);
        active[row] = active[last]!;
      }
      active.pop();
    }
  }
}
