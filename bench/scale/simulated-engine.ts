/**
 * An engine without a model, for measurements of everything around it. Calls take as long as real ones took and say what
 * real ones said (`calls.json`, written by `npm run bench:scale -- record`); designs are valid ones of the toy world; an
 * update changes a few numbers, so that every version has content of its own. A reply is a function of its seed.
 */
import type {
  GenerateRequest,
  PolicyEngine,
  PolicySource,
  Tensors,
  TrainMetrics,
  UpdateRequest,
} from '../../activities/runtime/engine/contract.ts';
import type { ThreadedEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { DomainError } from '../../shared/errors.ts';
import { designPatterns, writeDesign } from '../../shared/toy/designs.ts';
import { createDraws } from '../../shared/toy/draws.ts';
import recorded from './calls.json' with { type: 'json' };
import { nowMs } from './trace.ts';
import type { Trace } from './trace.ts';

const isExecutorCall = (seedKey: string) => /\/e-\d+\//.test(seedKey);

const nothingLearned: TrainMetrics = {
  loss: 0,
  gradNorm: 0,
  clipFraction: 0,
  meanRatio: 1,
  entropy: 0,
  approxKl: 0,
  referenceKl: 0,
  maxLogProbGap: 0,
  driftedTokens: 0,
  driftAlarm: 0,
  tokens: 0,
  padding: 0,
  steps: 1,
  memoryHalvings: 0,
  lossByStep: [0],
  durationMs: 0,
};

/** `speed` divides every latency. */
export function simulatedEngine(tokenizer: PolicyTokenizer, trace: Trace, speed = 1): ThreadedEngine {
  const resident = new Map<string, Pick<PolicySource, 'parameters' | 'optimizer'>>();
  const texts = new Map<string, Int32Array>();
  const encoded = (text: string) => {
    const known = texts.get(text) ?? tokenizer.encode(text);
    if (texts.size < 10_000) texts.set(text, known);
    return known;
  };
  const unused = () => Promise.reject(new Error('not simulated'));
  const engine: PolicyEngine = {
    promises: { batchInvariant: true, bitReproducibleUpdates: true },
    loadPolicy: async ({ version, parameters, optimizer }) => void resident.set(version, { parameters, optimizer }),
    hasPolicy: async (version) => resident.has(version),
    unloadPolicy: async (version) => void resident.delete(version),
    async generate({ seedKey, promptIds }: GenerateRequest, control) {
      const draws = createDraws(`simulated/${seedKey}`);
      const call = draws.pick(isExecutorCall(seedKey) ? recorded.executor : recorded.designer);
      const text = isExecutorCall(seedKey) ? call.text : writeDesign(draws.pick(designPatterns), draws);
      const [startMs, ms] = [nowMs(), call.ms / speed];
      await new Promise((resolve) => setTimeout(resolve, ms));
      control?.signal?.throwIfAborted();
      const tokenIds = encoded(text);
      const tokens = { promptTokens: promptIds.length, responseTokens: tokenIds.length };
      trace.write({ kind: 'generate', seedKey, startMs, ms, ...tokens });
      return { tokenIds, logProbs: new Float32Array(tokenIds.length).fill(-0.5), finishReason: 'stop' };
    },
    async update({ baseVersion, newVersion, sequences }: UpdateRequest) {
      const base = resident.get(baseVersion);
      if (base === undefined) throw new DomainError('InvalidInput', `'${baseVersion}' is not loaded`, { baseVersion });
      const parameters: Tensors = new Map(
        [...base.parameters].map(([name, tensor]) => [name, tensor.map((x) => x * (1 + 1e-3))]),
      );
      const moments = () => new Map([...parameters].map(([name, tensor]) => [name, new Float32Array(tensor.length)]));
      const optimizer = { m: moments(), v: moments(), step: (base.optimizer?.step ?? 0) + 1 };
      resident.set(newVersion, { parameters, optimizer });
      const tokens = sequences.reduce((sum, { responseIds }) => sum + responseIds.length, 0);
      return { version: newVersion, parameters, optimizer, metrics: { ...nothingLearned, tokens } };
    },
    sft: unused,
    gradients: unused,
    step: unused,
    logProbs: unused,
    stats: async () => ({
      versions: [...resident.keys()],
      generatedTokens: 0,
      prefilledTokens: 0,
      sharedPrefillTokens: 0,
      decodeSteps: 0,
      meanBatch: 0,
      generateMs: 0,
      tokensPerSecond: 0,
      waiting: 0,
      active: 0,
      meanQueueMs: 0,
      updates: 0,
      trainedTokens: 0,
      trainMs: 0,
    }),
    close: async () => undefined,
  };
  return { ...engine, died: new Promise(() => undefined) };
}
