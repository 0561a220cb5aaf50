/**
 * A run whose designs are given and whose model is a function of the seed, on the real store, isolates and activity: for
 * tests of what happens to the journal. Only the engine is played; it may be made to die.
 */
import { initializePolicy } from '../../activities/initialize-policy.ts';
import { PolicyResidence } from '../../activities/policy/residence.ts';
import type { RolloutDeps } from '../../activities/rollout/context.ts';
import { runContexts } from '../../activities/run-context.ts';
import type { GenerateRequest, PolicyEngine } from '../../activities/runtime/engine/contract.ts';
import { lazySandbox } from '../../activities/runtime/python/lazy-sandbox.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { readTokenizer } from '../../activities/policy/tokenizer-file.ts';
import { GroupCommit } from '../../activities/store/group-commit.ts';
import { pack } from '../../activities/store/packed.ts';
import { insertOnce } from '../../activities/store/write.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { storeDataset } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { designId, iterationId, rolloutId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { makeRunPlan } from '../../shared/plan/run-plan.ts';
import { hash32 } from '../../shared/random.ts';

/** What the played model says to a call. */
export type Speak = (seedKey: string, prompt: string) => string;

export interface PlayedEngine extends PolicyEngine {
  /** Seeds of all calls that were generated to their end. */
  readonly answered: string[];
  /** Generations until it dies; Infinity: never. */
  lives: number;
}

export async function playedEngine(speak: Speak): Promise<PlayedEngine> {
  const tokenizer = PolicyTokenizer.load(await readTokenizer('toy'));
  const unused = () => Promise.reject(new Error('not played'));
  const engine: PlayedEngine = {
    promises: { batchInvariant: true, bitReproducibleUpdates: true },
    answered: [],
    lives: Infinity,
    loadPolicy: async () => undefined,
    hasPolicy: async () => true,
    unloadPolicy: async () => undefined,
    async generate({ seedKey, promptIds }: GenerateRequest, control) {
      await new Promise((resolve) => setTimeout(resolve, hash32(seedKey, engine.answered.length) % 4));
      control?.signal?.throwIfAborted();
      if (engine.answered.length >= engine.lives) throw new DomainError('EngineDied', 'the engine was made to die');
      engine.answered.push(seedKey);
      const tokenIds = tokenizer.encode(speak(seedKey, tokenizer.decode(promptIds)));
      return { tokenIds, logProbs: new Float32Array(tokenIds.length).fill(-0.5), finishReason: 'stop' };
    },
    update: unused,
    sft: unused,
    gradients: unused,
    step: unused,
    logProbs: unused,
    stats: unused,
    close: async () => undefined,
  };
  return engine;
}

export interface ScriptedRun {
  deps: RolloutDeps;
  engine: PlayedEngine;
  batchId: string;
  /** Stores a valid design; returns its id and the input that executes it. */
  design(number: number, script: string): Promise<{ id: string; input: ExecuteInput }>;
  close(): Promise<void>;
}

export interface ExecuteInput {
  runId: string;
  batchId: string;
  purpose: 'train';
  policyVersion: number;
  slot: number;
  questionIndex: number;
  design: number;
  executions: number;
}

export async function scriptedRun(store: Store, runId: string, speak: Speak, set: string[] = []): Promise<ScriptedRun> {
  const recipe = await loadRecipe({ recipe: 'smoke', set });
  const datasets = await loadDatasets(recipe);
  for (const dataset of [datasets.train, datasets.heldOut]) await storeDataset(store, dataset);
  const reference = ({ digest, name, questions }: (typeof datasets)['train']) => ({
    digest,
    name,
    count: questions.length,
  });
  const { queues, activities } = resolveTemporalConfig({});
  const sizes = {
    trainQuestions: datasets.train.questions.length,
    heldOutQuestions: datasets.heldOut.questions.length,
  };
  await insertOnce<RunDocument>(store.runs, {
    _id: runId,
    recipe,
    plan: makeRunPlan({ recipe, ...sizes, queues, activities }),
    status: 'running',
    codeVersion: 'test',
    datasets: { train: reference(datasets.train), heldOut: reference(datasets.heldOut) },
    prompts: {},
  });
  const engine = await playedEngine(speak);
  const scripts = createScriptPool({ threads: 1 });
  const python = lazySandbox({ workers: 1 });
  const deps: RolloutDeps = {
    store,
    runs: runContexts(store),
    engine,
    policies: new PolicyResidence(store, engine),
    scripts,
    python: python.open,
    designs: new GroupCommit(store.designs),
    journal: new GroupCommit(store.calls),
    executions: new GroupCommit(store.executions),
  };
  await initializePolicy(deps, { runId });
  const batchId = iterationId(runId, 1, 1);
  return {
    deps,
    engine,
    batchId,
    async design(number, script) {
      const rollout = rolloutId(batchId, 0);
      const id = designId(rollout, number);
      const none = {
        promptIds: pack(new Int32Array()),
        tokenIds: pack(new Int32Array()),
        logProbs: pack(new Float32Array()),
      };
      await insertOnce(store.designs, {
        _id: id,
        runId,
        batchId,
        rolloutId: rollout,
        design: number,
        question: 'q',
        writtenBy: 'system',
        reply: script,
        script,
        outcome: 'valid',
        problem: null,
        structure: null,
        policyVersion: 0,
        part: 'shared',
        seedKey: id,
        sampling: recipe.sampling.designer,
        ...none,
        finishReason: 'stop',
        promptTokens: 0,
        responseTokens: 0,
      });
      const batch = { runId, batchId, purpose: 'train' as const, policyVersion: 0 };
      return { id, input: { ...batch, slot: 0, questionIndex: 0, design: number, executions: 4 } };
    },
    close: async () => {
      await scripts.close();
      await python.close();
    },
  };
}
