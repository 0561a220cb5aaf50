/**
 * The whole run: initial policy → cold start (SFT) → stages → evaluations. Pause, unpause and stop act between
 * iterations. `from` lets a new execution go on where the database says the last one was.
 */
import {
  CancellationScope,
  ContinueAsNew,
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  patched,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import { evaluationId, policyVersionName, stageWorkflowId } from '../shared/domain/ids.ts';
import type { RunPlan, StagePlan } from '../shared/domain/plan.ts';
import { activitiesOf } from './activity-proxies.ts';
import { checkInput, planFields } from './check-input.ts';
import { coEvolutionStage } from './co-evolution-stage.ts';
import { withDecisions } from './decisions.ts';
import { evaluation } from './evaluation.ts';
import { failureOf } from './failure.ts';
import { RunState } from './run-state.ts';
import type { TrainingRunInput } from './run-state.ts';
import { visible } from './search-attributes.ts';
import { isVersioned } from './versioned.ts';

export type { TrainingRunInput } from './run-state.ts';

export interface TrainingRunResult {
  policyVersion: number;
  stopped: boolean;
  evaluations: Record<string, number>;
}

export async function trainingRun(input: TrainingRunInput): Promise<TrainingRunResult> {
  checkInput('trainingRun', input, {
    runId: 'text',
    dataset: 'text',
    ...planFields,
    'plan.stages': 'list',
    'plan.coldStartChunks': 'number',
    'plan.rollout.questionsPerIteration': 'number',
    'plan.evaluation.questions': 'number',
  });
  const run = new RunState(input);
  const { control: records } = activitiesOf(input.plan);
  const { runId } = input;
  try {
    await records.recordRun.executeWithOptions({ summary: 'the run is running' }, [{ runId, status: 'running' }]);
    await prepare(run);
    for (const stage of input.plan.stages) {
      if (run.control.stopping) break;
      await runStage(run, stage);
      if (workflowInfo().continueAsNewSuggested && !run.control.stopping) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof trainingRun>({ ...input, from: run.position(), paused: run.control.paused });
      }
    }
    const stopped = run.control.stopping;
    run.enter(stopped ? 'stopping' : 'finished');
    const status = stopped ? 'stopped' : 'finished';
    await records.recordRun.executeWithOptions({ summary: `the run is ${status}` }, [{ runId, status }]);
    return { policyVersion: run.policyVersion, stopped, evaluations: run.progress.evaluations };
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const [status, failure] = isCancellation(error) ? (['stopped'] as const) : (['failed', failureOf(error)] as const);
    await CancellationScope.nonCancellable(() =>
      records.recordRun.executeWithOptions({ summary: `the run has ${status}` }, [{ runId, status, failure }]),
    );
    throw error;
  }
}

// It mostly waits for stages, and new stages are to begin with new code; old histories are replayed before a release.
setWorkflowOptions(() => (isVersioned() ? { versioningBehavior: 'AUTO_UPGRADE' } : {}), trainingRun);

/** Initial weights and cold start; each chunk commits a version. */
async function prepare(run: RunState): Promise<void> {
  const { runId, plan, from } = run.input;
  const { train } = activitiesOf(plan);
  if (from === null) {
    run.enter('starting');
    const { policyVersion } = await train.initializePolicy.executeWithOptions({ summary: 'initial policy' }, [
      { runId, revision: plan.revision },
    ]);
    run.set({ policyVersion });
  }
  for (let chunk = (from?.coldStartChunks ?? 0) + 1; chunk <= plan.coldStartChunks; chunk++) {
    await run.control.clearance();
    if (run.control.stopping) return;
    run.set({ phase: 'cold-start', iteration: chunk, iterations: plan.coldStartChunks });
    const summary = `cold start ${chunk}/${plan.coldStartChunks} (SFT)`;
    const chunkOf = { runId, chunk, baseVersion: run.policyVersion, revision: plan.revision };
    const decided = await withDecisions({
      runId,
      plan,
      about: `chunk ${chunk} of the cold start`,
      choices: ['lower-rate', 'stop'],
      rateFactor: 1,
      ask: (question) => run.ask(question),
      attempt: ({ rateFactor }) =>
        train.fineTune.executeWithOptions({ summary }, [{ ...chunkOf, ...(rateFactor === 1 ? {} : { rateFactor }) }]),
    });
    if (decided === null) return run.control.stop();
    run.set({ policyVersion: decided.result.policyVersion });
  }
  await evaluate(run, 'cold-start', plan.coldStartChunks);
}

async function runStage(run: RunState, stage: StagePlan): Promise<void> {
  const { runId, plan, from } = run.input;
  const done = from?.iterations[stage.stage - 1] ?? 0;
  const { control } = activitiesOf(plan);
  const name = `stage-${String(stage.stage).padStart(2, '0')}`;
  run.cursor += done * plan.rollout.questionsPerIteration;
  if (done < stage.iterations) {
    await run.control.clearance();
    if (run.control.stopping) return;
    run.set({
      phase: 'training',
      stage: stage.stage,
      learner: stage.learner,
      iteration: done,
      iterations: stage.iterations,
    });
    // Each iteration that is done has made one version.
    const record = { runId, ...stage, policyIn: run.policyVersion - done };
    await control.recordStage.executeWithOptions({ summary: `stage ${stage.stage} begins` }, [
      { ...record, policyOut: null },
    ]);
    run.openStage = stageWorkflowId(runId, stage.stage, stage.learner);
    const result = await executeChild(coEvolutionStage, {
      workflowId: run.openStage,
      args: [
        {
          ...stage,
          runId,
          plan,
          policyVersion: run.policyVersion,
          cursor: run.cursor,
          done,
          paused: run.control.paused,
          stopping: run.control.stopping,
          evaluations: {},
          rateFactor: run.rateFactor,
          recent: [],
        },
      ],
      staticSummary: `stage ${stage.stage}/${plan.stages.length} · the ${stage.learner} learns for ${stage.iterations} iterations`,
      typedSearchAttributes: visible({
        runId,
        stage: stage.stage,
        role: stage.learner,
        policyVersion: run.policyVersion,
      }),
    });
    run.openStage = null;
    run.cursor = result.cursor;
    run.rateFactor = result.rateFactor ?? 1;
    if (result.stopped) run.control.stop();
    run.finishStage(stage.stage, result.done);
    run.set({
      policyVersion: result.policyVersion,
      iteration: result.done,
      evaluations: { ...run.progress.evaluations, ...result.evaluations },
    });
    // A stage that was stopped has not ended: its record stays as it began. Runs of before recorded an end.
    if (result.stopped && patched('unended-stage')) return;
    await control.recordStage.executeWithOptions(
      { summary: `stage ${stage.stage} ends with ${policyVersionName(result.policyVersion)}` },
      [{ ...record, policyOut: result.policyVersion }],
    );
    if (result.stopped) return;
  }
  const isMeasured = plan.evaluation.stageEnds !== 'last' || stage.stage === plan.stages.length;
  if (isMeasured) await evaluate(run, name, versionAfter(plan, stage));
}

/** Each chunk of the cold start and each iteration makes one version. */
const versionAfter = ({ coldStartChunks, stages }: RunPlan, { stage }: StagePlan): number =>
  stages.filter((each) => each.stage <= stage).reduce((sum, { iterations }) => sum + iterations, coldStartChunks);

/** avg@k of a version, unless the database has it already. In a run that goes on it need not be the newest. */
async function evaluate(run: RunState, name: string, policyVersion: number): Promise<void> {
  const { runId, plan } = run.input;
  if (plan.evaluation.questions === 0 || run.control.stopping || name in run.progress.evaluations) return;
  run.enter('evaluating');
  const result = await executeChild(evaluation, {
    workflowId: evaluationId(runId, name),
    args: [{ runId, name, policyVersion, plan }],
    staticSummary: `avg@${plan.evaluation.samples} of ${policyVersionName(policyVersion)} after ${name}`,
    typedSearchAttributes: visible({ runId, policyVersion }),
  });
  run.set({ evaluations: { ...run.progress.evaluations, [name]: result.average } });
}
