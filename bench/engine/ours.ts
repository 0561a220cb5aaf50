/**
 * The engine as a contestant of bench/engine.ts: one JSON request a line in, one JSON result a line out. Runs in this
 * thread, so that CPU time and peak memory are the engine's own.
 *
 *   open      {folder, size, threads, maxBatch?, weights?}   `weights`: of sampling
 *   train     {rows}                      one step of the trainer
 *   generate  {prompts, newTokens}        greedy, all calls at once
 *   serve     {calls, group}              seeded calls arriving over time; group > 0: in static batches of so many
 *   refresh   {}                          a new version to its first token
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineOptions, GenerateRequest, PolicySource } from '../../activities/runtime/engine/contract.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { DecoderGraphs } from '../../activities/runtime/engine/graphs.ts';
import { TrainingState } from '../../activities/runtime/engine/optimizer.ts';
import { makeResident } from '../../activities/runtime/engine/resident.ts';
import { TrainingLoop } from '../../activities/runtime/engine/training-loop.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { decodeSafetensors } from '../../shared/model/checkpoint/safetensors.ts';
import type { ArrivingCall } from './serving.ts';
import { sizes, type SizeName } from './sizes.ts';

const tokenizerJson = readFileSync(new URL('../../runs/assets/toy-tokenizer.json', import.meta.url), 'utf8');
const adam = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 };

let options: EngineOptions;
let source: PolicySource;
let weights: GenerateRequest['weights'];
let engine: LocalEngine | undefined;
let loop: TrainingLoop | undefined;

async function timed<Result extends object>(work: () => Promise<Result>) {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const peakMb = process.resourceUsage().maxRSS / 1024;
  return { ms: performance.now() - started, cpuMs: (user + system) / 1000, peakMb, ...result };
}

async function generator(): Promise<LocalEngine> {
  if (engine === undefined) {
    engine = new LocalEngine(options);
    await engine.loadPolicy(source);
  }
  return engine;
}

const call = (promptIds: readonly number[], maxTokens: number, seedKey: string, temperature = 0): GenerateRequest => ({
  version: 'v',
  promptIds: Int32Array.from(promptIds),
  sampling: { temperature, topP: 1, topK: 0, minP: 0, maxTokens, stopStrings: [] },
  seedKey,
  stopTokenIds: [],
  weights,
});

const operations = {
  async open({
    folder,
    size,
    threads,
    maxBatch = 64,
    weights: kind,
  }: {
    folder: string;
    size: SizeName;
    threads: number;
    maxBatch?: number;
    weights?: GenerateRequest['weights'];
  }) {
    weights = kind;
    options = {
      executionProvider: 'cpu',
      decodeThreads: threads,
      trainThreads: threads,
      spin: false,
      maxBatch,
      maxPrefillTokens: 16_384,
    };
    const parameters = decodeSafetensors(readFileSync(`${folder}/model.safetensors`));
    source = { version: 'v', config: sizes[size], tokenizerJson, parameters };
    engine = undefined;
    loop = undefined;
    return {};
  },

  /** Leaves nothing to generate from: `open` again for that. */
  async train({ rows }: { rows: number[][] }) {
    if (loop === undefined) {
      const tokenizer = PolicyTokenizer.load(tokenizerJson);
      const resident = makeResident(
        new DecoderGraphs(source.config, options),
        { ...source, frozen: new Map() },
        tokenizer,
      );
      loop = new TrainingLoop(new TrainingState(resident), { type: 'sft' }, { maxTokensPerMicroBatch: 1e9 }, {});
      // The trainer has copies of its own; nothing here samples from the version that it began with.
      source = { ...source, parameters: new Map() };
    }
    const examples = rows.map((ids, row) => ({
      id: String(row),
      promptIds: Int32Array.from(ids.slice(0, 1)),
      responseIds: Int32Array.from(ids.slice(1)),
    }));
    const running = loop;
    return timed(async () => ({
      loss: await running.step(
        examples,
        () => ({}),
        (state) => state.step(adam, adam.learningRate),
      ),
    }));
  },

  async generate({ prompts, newTokens }: { prompts: number[][]; newTokens: number }) {
    const running = await generator();
    return timed(async () => {
      const calls = prompts.map((prompt, row) => running.generate(call(prompt, newTokens, `g/${row}`)));
      return { tokens: (await Promise.all(calls)).map(({ tokenIds }) => [...tokenIds]) };
    });
  },

  async serve({ calls, group }: { calls: ArrivingCall[]; group: number }) {
    const running = await generator();
    const start = ({ prompt, tokens }: ArrivingCall, index: number) =>
      running.generate(call(prompt, tokens, `s/${index}`, 1));
    return timed(async () => {
      const started = performance.now();
      const arrival = (atMs: number) => sleep(Math.max(0, started + atMs - performance.now()));
      if (group === 0) {
        await Promise.all(calls.map((each, index) => arrival(each.atMs).then(() => start(each, index))));
      } else {
        for (let from = 0; from < calls.length; from += group) {
          const batch = calls.slice(from, from + group);
          await arrival(batch.at(-1)!.atMs);
          // As in a static batch: every row runs until the longest of them ends.
          const tokens = Math.max(...batch.map((each) => each.tokens));
          await Promise.all(batch.map((each, offset) => start({ ...each, tokens }, from + offset)));
        }
      }
      return { tokens: calls.reduce((sum, { tokens }) => sum + tokens, 0) };
    });
  },

  async refresh() {
    const running = await generator();
    const version = `v${performance.now()}`;
    const result = await timed(async () => {
      await running.loadPolicy({ ...source, version });
      await running.generate({ ...call([1, 2, 3, 4, 5, 6, 7, 8], 1, 'r'), version });
      return {};
    });
    await running.unloadPolicy(version);
    return result;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...request } = JSON.parse(line) as { op: keyof typeof operations };
  const result = await operations[op](request as never);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exit(0);
