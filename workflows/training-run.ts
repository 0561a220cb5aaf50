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
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { evaluationId, policyVersionName, stageWorkflowId } from '../shared/domain/ids.ts';
import type { Progress, RunPlan, RunPosition, StagePlan } from '../shared/domain/plan.ts';
import { activitiesOf } from './activity-proxies.ts';
import { coEvolutionStage } from './co-evolution-stage.ts';
import { evaluation } from './evaluation.ts';
import { failureOf } from './failure.ts';
import {
  pauseSignal,
  progressDescription,
  progressQuery,
  stageProgressSignal,
  stopSignal,
  unpauseSignal,
} from './messages.ts';
import type { StageProgress } from './messages.ts';
import { installRunControl } from './run-control.ts';
import type { RunControl } from './run-control.ts';
import { runDetails } from './run-details.ts';
import type { StageFacts } from './run-details.ts';
import { searchAttributes, visible } from './search-attributes.ts';

export interface TrainingRunInput {
  runId: string;
  dataset: string;
  plan: RunPlan;
  from: RunPosition | null;
  /** Carried over when the run continues as new. */
  paused?: boolean;
}

export interface TrainingRunResult {
  policyVersion: number;
  stopped: boolean;
  evaluations: Record<string, number>;
}

export async function trainingRun(input: TrainingRunInput): Promise<TrainingRunResult> {
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
    const status = isCancellation(error) ? 'stopped' : 'failed';
    await CancellationScope.nonCancellable(() =>
      records.recordRun.executeWithOptions({ summary: `the run has ${status}` }, [
        { runId, status, failure: failureOf(error) },
      ]),
    );
    throw error;
  }
}

/** What `progress` and the details table show, and what the phases below pass on. */
class RunState {
  readonly input: TrainingRunInput;
  readonly control: RunControl;
  progress: Progress;
  cursor = 0;
  /** In stage order. */
  readonly #stages: StageFacts[];
  /** Workflow id of the stage that is running. */
  openStage: string | null = null;

  constructor(input: TrainingRunInput) {
    this.input = input;
    this.#stages = input.plan.stages.map((_, index) => ({
      done: input.from?.iterations[index] ?? 0,
      firstReward: null,
      lastReward: null,
    }));
    this.progress = {
      runId: input.runId,
      phase: 'starting',
      stage: null,
      stages: input.plan.stages.length,
      learner: null,
      iteration: null,
      iterations: null,
      policyVersion: input.from?.policyVersion ?? null,
      meanReward: null,
      evaluations: input.from?.evaluations ?? {},
    };
    const initial = { paused: input.paused ?? false, stopping: false };
    this.control = installRunControl((change) => void this.#forward(change), initial);
    setHandler(progressQuery, () => ({ ...this.progress, phase: this.#phase }), { description: progressDescription });
    const takeReport = ({ stage, evaluations, ...facts }: StageProgress) => {
      const row = this.#stages[stage - 1]!;
      row.done = facts.iteration;
      row.firstReward ??= facts.meanReward;
      row.lastReward = facts.meanReward;
      this.set({ ...facts, stage, evaluations: { ...this.progress.evaluations, ...evaluations } });
    };
    setHandler(stageProgressSignal, takeReport, { description: 'From a stage to its run after each iteration.' });
  }

  get #phase(): Progress['phase'] {
    if (this.control.stopping) return 'stopping';
    return this.control.paused ? 'paused' : this.progress.phase;
  }

  get policyVersion(): number {
    return this.progress.policyVersion ?? 0;
  }

  /** Where the run stands, for the execution that continues it. */
  position(): RunPosition {
    return {
      policyVersion: this.policyVersion,
      coldStartChunks: this.input.plan.coldStartChunks,
      iterations: this.#stages.map(({ done }) => done),
      evaluations: this.progress.evaluations,
    };
  }

  finishStage(stage: number, iterations: number): void {
    this.#stages[stage - 1]!.done = iterations;
  }

  enter(phase: Progress['phase']): void {
    this.set({ phase });
  }

  set(change: Partial<Progress>): void {
    this.progress = { ...this.progress, ...change };
    this.#show();
    if (change.policyVersion != null) {
      upsertSearchAttributes([{ key: searchAttributes.policyVersion, value: change.policyVersion }]);
    }
    if (change.meanReward != null) {
      upsertSearchAttributes([{ key: searchAttributes.meanReward, value: change.meanReward }]);
    }
  }

  #show(): void {
    setCurrentDetails(runDetails(this.input.plan, { ...this.progress, phase: this.#phase }, this.#stages));
  }

  async #forward(change: 'pause' | 'unpause' | 'stop'): Promise<void> {
    this.#show();
    if (this.openStage === null) return;
    const signal = { pause: pauseSignal, unpause: unpauseSignal, stop: stopSignal }[change];
    // A stage that has just ended needs no signal: the run itself checks before the next one.
    await getExternalWorkflowHandle(this.openStage)
      .signal(signal)
      .catch(() => undefined);
  }
}

/** Initial weights and cold start; each chunk commits a version. */
async function prepare(run: RunState): Promise<void> {
  const { runId, plan, from } = run.input;
  const { train } = activitiesOf(plan);
  if (from === null) {
    run.enter('starting');
    const { policyVersion } = await train.initializePolicy.executeWithOptions({ summary: 'initial policy' }, [
      { runId },
    ]);
    run.set({ policyVersion });
  }
  for (let chunk = (from?.coldStartChunks ?? 0) + 1; chunk <= plan.coldStartChunks; chunk++) {
    await run.control.clearance();
    if (run.control.stopping) return;
    run.set({ phase: 'cold-start', iteration: chunk, iterations: plan.coldStartChunks });
    const summary = `cold start ${chunk}/${plan.coldStartChunks} (SFT)`;
    const tuned = await train.fineTune.executeWithOptions({ summary }, [
      { runId, chunk, baseVersion: run.policyVersion },
    ]);
    run.set({ policyVersion: tuned.policyVersion });
  }
  await evaluate(run, 'cold-start');
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
    const record = { runId, ...stage, policyIn: run.policyVersion };
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
    run.finishStage(stage.stage, result.done);
    run.set({
      policyVersion: result.policyVersion,
      iteration: result.done,
      evaluations: { ...run.progress.evaluations, ...result.evaluations },
    });
    await control.recordStage.executeWithOptions(
      { summary: `stage ${stage.stage} ends with ${policyVersionName(result.policyVersion)}` },
      [{ ...record, policyOut: result.policyVersion }],
    );
    if (result.stopped) return;
  }
  const isMeasured = plan.evaluation.stageEnds !== 'last' || stage.stage === plan.stages.length;
  if (isMeasured) await evaluate(run, name);
}

/** avg@k of the current version, unless the database has it already. */
async function evaluate(run: RunState, name: string): Promise<void> {
  const { runId, plan } = run.input;
  if (plan.evaluation.questions === 0 || run.control.stopping || name in run.progress.evaluations) return;
  run.enter('evaluating');
  const { policyVersion } = run;
  const result = await executeChild(evaluation, {
    workflowId: evaluationId(runId, name),
    args: [{ runId, name, policyVersion, plan }],
    staticSummary: `avg@${plan.evaluation.samples} of ${policyVersionName(policyVersion)} after ${name}`,
    typedSearchAttributes: visible({ runId, policyVersion }),
  });
  run.set({ evaluations: { ...run.progress.evaluations, [name]: result.average } });
}
