/** A run's documents without a run: for pages that must show texts no model here writes, and more than it can sample. */
import { insertAllOnce, insertOnce } from '../../activities/store/write.ts';
import type { Draft } from '../../activities/store/write.ts';
import type { Store } from '../../activities/store/connect.ts';
import { pack } from '../../activities/store/packed.ts';
import type {
  CallDocument,
  CreditDocument,
  DesignDocument,
  ExecutionDocument,
  VerdictDocument,
} from '../../activities/store/documents.ts';
import { recipeSchema } from '../../shared/config/recipe.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import {
  callId,
  designId,
  evaluationId,
  executionId,
  iterationId,
  policyId,
  rolloutId,
  stageId,
} from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/role.ts';
import { makeRunPlan } from '../../shared/plan/run-plan.ts';
import { smallestDecoder } from './smallest-decoder.ts';

export interface StoredRun {
  runId: string;
  /** Iterations of each stage; roles alternate, the Executor first. */
  stages: readonly number[];
  questions: number;
  designs: number;
  executions: number;
  /** Calls of each execution. */
  calls: number;
  /** What stands where a person or a model wrote something. */
  text: (what: string) => string;
  /** Documents below the iterations are written for the newest of them only. */
  newestOnly?: boolean;
  status?: 'running' | 'finished' | 'failed';
}

const digest = (text: string) => Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64);
const number = (path: string) => [...path].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) / 997;

export async function storeRun(store: Store, shape: StoredRun): Promise<void> {
  const { runId, stages, text, status = 'finished' } = shape;
  const recipe = {
    ...recipeSchema.parse({
      name: 'stored',
      description: text('recipe'),
      policy: { init: { type: 'checkpoint', directory: 'none' } },
      questions: { train: { type: 'toy', count: shape.questions }, heldOut: { type: 'toy', count: shape.questions } },
      prompts: { form: 'terse' },
      rollout: {
        questionsPerIteration: shape.questions,
        designsPerQuestion: shape.designs,
        executionsPerDesign: shape.executions,
      },
      stages: { iterationsPerStage: stages[0], count: stages.length },
    }),
  };
  const train = { digest: digest(`${runId} train`), name: text('dataset'), count: shape.questions };
  const { queues, activities } = resolveTemporalConfig({});
  const counts = { trainQuestions: shape.questions, heldOutQuestions: shape.questions };
  await insertOnce(store.runs, {
    _id: runId,
    recipe,
    plan: makeRunPlan({ recipe, ...counts, queues, activities }),
    status,
    codeVersion: text('version'),
    datasets: { train, heldOut: train },
    prompts: { designer: text('prompt') },
    ...(status === 'failed' ? { failure: { name: 'EngineDied', message: text('failure') } } : {}),
  });
  await insertAllOnce(
    store.questions,
    Array.from({ length: shape.questions }, (_, index) => ({
      _id: `${train.digest}/${index}`,
      digest: train.digest,
      index,
      question: {
        id: `q${index}`,
        text: text('question'),
        kind: text('kind'),
        difficulty: 1,
        verifier: { type: 'math' as const, gold: text('gold') },
      },
    })),
  );
  let version = 0;
  const all: string[] = [];
  await storeVersion(store, shape, version, 'initial');
  for (const [index, iterations] of stages.entries()) {
    const stage = index + 1;
    const learner: Role = index % 2 === 0 ? 'executor' : 'designer';
    const policyOut = version + iterations;
    const id = stageId(runId, stage);
    await insertOnce(store.stages, { _id: id, runId, stage, learner, iterations, policyIn: version, policyOut });
    for (let iteration = 1; iteration <= iterations; iteration++) {
      const batchId = iterationId(runId, stage, iteration);
      all.push(batchId);
      version += 1;
      await storeVersion(store, shape, version, batchId);
      await storeIteration(store, shape, { batchId, stage, iteration, learner, version, train: train.digest });
    }
    await storeEvaluation(store, shape, `stage-${String(stage).padStart(2, '0')}`, version, train);
  }
  for (const batchId of shape.newestOnly ? all.slice(-1) : all) await storeBatch(store, shape, batchId);
}

async function storeVersion(store: Store, { runId }: StoredRun, version: number, madeBy: string): Promise<void> {
  await insertOnce(store.policies, {
    _id: policyId(runId, version),
    runId,
    version,
    parent: version === 0 ? null : version - 1,
    madeBy,
    decoder: smallestDecoder,
    tokenizer: digest('tokenizer'),
    parts: {
      shared: { changedIn: version, weights: digest(`w${version}`), optimizer: null, optimizerStep: version },
    },
    metrics: {},
    keep: false,
  });
}

interface IterationShape {
  batchId: string;
  stage: number;
  iteration: number;
  learner: Role;
  version: number;
  train: string;
}

async function storeIteration(store: Store, shape: StoredRun, made: IterationShape): Promise<void> {
  const { batchId, stage, iteration, learner, version, train } = made;
  const at = (name: string) => number(`${batchId}/${name}`);
  await insertOnce(store.iterations, {
    _id: batchId,
    runId: shape.runId,
    stage,
    iteration,
    learner,
    policyIn: version - 1,
    policyOut: version,
    questions: Array.from({ length: shape.questions }, (_, index) => `${train}/${index}`),
    metrics: {
      meanReward: at('reward'),
      accuracy: at('accuracy'),
      validDesigns: at('valid'),
      calls: 100,
      executions: 50,
      entropy: at('entropy'),
      approxKl: at('kl') / 100,
      referenceKl: at('reference') / 50,
      clipFraction: at('clip') / 10,
      gradNorm: at('gradient'),
      loss: at('loss') - 0.5,
    },
    facts: {
      startedAt: new Date(),
      rolloutMs: 2_000,
      patterns: { agent: 3 + Math.round(4 * at('agent')), ensemble: 2, debate: 1, invalid: 1 },
      outcomes: { replied: 40 },
      designerTokens: 500,
      executorTokens: 4_000,
    },
  });
}

async function storeEvaluation(
  store: Store,
  { runId, questions, text }: StoredRun,
  name: string,
  policyVersion: number,
  dataset: { digest: string; name: string; count: number },
): Promise<void> {
  const average = number(`${runId}/${name}`);
  await insertOnce(store.evaluations, {
    _id: evaluationId(runId, name),
    runId,
    name,
    system: 'designed',
    budget: null,
    policyVersion,
    dataset,
    samples: 3,
    questions,
    metrics: { average, validDesigns: 0.9 },
    intervals: { average: [Math.max(0, average - 0.05), Math.min(1, average + 0.05)] },
    perQuestion: Array.from({ length: questions }, (_, index) => ({
      question: `q${index}`,
      kind: text('kind'),
      correct: index % 3,
      majority: null,
      calls: 3,
      promptTokens: 3,
      responseTokens: 3,
    })),
  });
}

const sampled = () => ({
  policyVersion: 1,
  part: 'shared' as const,
  seedKey: 'seed',
  sampling: { temperature: 1, topP: 1, topK: 0, minP: 0, maxTokens: 8, stopStrings: [] },
  promptIds: pack(Int32Array.of(1, 2)),
  tokenIds: pack(Int32Array.of(3)),
  logProbs: pack(Float32Array.of(-1)),
  finishReason: 'stop' as const,
  promptTokens: 2,
  responseTokens: 1,
});

async function storeBatch(store: Store, shape: StoredRun, batchId: string): Promise<void> {
  const designs: Draft<DesignDocument>[] = [];
  const executions: Draft<ExecutionDocument>[] = [];
  const calls: Draft<CallDocument>[] = [];
  const verdicts: Draft<VerdictDocument>[] = [];
  const credits: Draft<CreditDocument>[] = [];
  const { runId, text } = shape;
  for (let slot = 0; slot < shape.questions; slot++) {
    const rollout = rolloutId(batchId, slot);
    const owner = { runId, batchId, rolloutId: rollout };
    for (let design = 0; design < shape.designs; design++) {
      const id = designId(rollout, design);
      const question = `q${slot}`;
      const valid = design > 0 || shape.designs === 1;
      designs.push({ _id: id, ...owner, ...sampled(), design, question, reply: text('reply'), ...madeOf(text, valid) });
      credits.push({ _id: id, ...owner, role: 'designer', ...creditOf(id, rollout, shape.designs) });
      if (!valid) continue;
      for (let execution = 0; execution < shape.executions; execution++) {
        const run = executionId(id, execution);
        executions.push({
          _id: run,
          ...owner,
          designId: id,
          execution,
          question,
          outcome: 'replied',
          problem: null,
          reply: { text: text('answer'), answer: text('answer') },
          usage: { calls: shape.calls, promptTokens: 2, responseTokens: 1, toolCalls: 0 },
          trace: traceOf(text, shape.calls),
          policyVersion: 1,
          durationMs: 5,
          replayedCalls: 0,
          promptForm: 'terse',
          attempt: 'a',
        });
        const correct = number(run) > 0.5;
        const verdict = { correct, ratio: Number(correct), answer: text('answer'), how: text('how') };
        const terms = [{ term: 'correctness' as const, value: Number(correct) }];
        verdicts.push({ _id: run, ...owner, verdict: verdict, reward: Number(correct), terms, tier: null });
        credits.push({ _id: run, ...owner, role: 'executor', ...creditOf(run, rollout, shape.executions) });
        for (let call = 0; call < shape.calls; call++) calls.push(callOf(shape, batchId, run, call));
      }
    }
  }
  await insertAllOnce(store.designs, designs);
  await insertAllOnce(store.executions, executions);
  await insertAllOnce(store.calls, calls);
  await insertAllOnce(store.verdicts, verdicts);
  await insertAllOnce(store.credits, credits);
}

const madeOf = (text: StoredRun['text'], valid: boolean) =>
  valid
    ? {
        script: text('script'),
        writtenBy: 'designer' as const,
        outcome: 'valid' as const,
        problem: null,
        structure: { agents: 1, pattern: text('pattern') },
      }
    : {
        script: text('script'),
        writtenBy: 'designer' as const,
        outcome: 'syntax-error' as const,
        problem: { message: text('problem'), line: 1, column: 0 },
        structure: null,
      };

const creditOf = (id: string, group: string, groupSize: number) => ({
  reward: number(id),
  baseline: 0.5,
  advantage: number(id) - 0.5,
  group,
  groupSize,
});

const traceOf = (text: StoredRun['text'], calls: number) => ({
  nodes: [
    { nodePath: 'ensemble-1', kind: 'ensemble', name: text('node'), status: 'ok', detail: { winner: text('detail') } },
  ],
  calls: Array.from({ length: calls }, (_, call) => ({
    call,
    kind: 'model',
    nodePath: `ensemble-1/member-${call}`,
    agentName: text('agent'),
    from: call === 0 ? [] : [`ensemble-1/member-${call - 1}`],
    status: 'ok',
  })),
});

const callOf = ({ runId, text }: StoredRun, batchId: string, execution: string, call: number): Draft<CallDocument> => ({
  _id: callId(execution, call),
  runId,
  batchId,
  executionId: execution,
  attempt: 'a',
  call,
  kind: 'model',
  hash: 'h',
  nodePath: text('path'),
  agentName: text('agent'),
  agentPart: 'agent',
  messages: [
    { role: text('role'), content: text('message') },
    { role: 'user', content: text('message') },
  ],
  answer: { text: text('answer'), answer: null, promptTokens: 2, responseTokens: 1, status: 'ok' },
  ...sampled(),
});
