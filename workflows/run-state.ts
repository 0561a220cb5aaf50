/** What a run's workflow knows of itself: what `progress` and the details table show, and what its phases pass on. */
import { getExternalWorkflowHandle, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { Decision, OpenQuestion } from '../shared/domain/decision.ts';
import type { Progress, RunPlan, RunPosition } from '../shared/domain/plan.ts';
import { acceptsSignal } from './check-input.ts';
import { Decisions } from './decisions.ts';
import {
  pauseSignal,
  progressDescription,
  progressQuery,
  stageProgressSignal,
  stopSignal,
  unpauseSignal,
} from './messages.ts';
import type { StageProgress } from './messages.ts';
import { RunControl } from './run-control.ts';
import { runDetails } from './run-details.ts';
import type { StageFacts } from './run-details.ts';
import { searchAttributes } from './search-attributes.ts';

export interface TrainingRunInput {
  runId: string;
  dataset: string;
  plan: RunPlan;
  from: RunPosition | null;
  /** Carried over when the run continues as new. */
  paused?: boolean;
}

export class RunState {
  readonly input: TrainingRunInput;
  readonly control: RunControl;
  progress: Progress;
  cursor = 0;
  /** In stage order. */
  readonly #stages: StageFacts[];
  /** Workflow id of the stage that is running. */
  openStage: string | null = null;
  /** By which decisions have multiplied the learning rate. */
  rateFactor: number;
  readonly #decisions = new Decisions();

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
    this.rateFactor = input.from?.rateFactor ?? 1;
    this.control = new RunControl({ paused: input.paused ?? false, stopping: false });
    // Last of all: what was sent before the run began is heard while the handlers are installed.
    this.#decisions.listen(() => this.#show());
    this.control.listen((change) => void this.#forward(change));
    setHandler(progressQuery, () => this.#seen, { description: progressDescription });
    const takeReport = (report: StageProgress) => {
      if (!acceptsSignal('stageProgress', report, { stage: 'number', iteration: 'number', policyVersion: 'number' }))
        return;
      const { stage, evaluations, ...facts } = report;
      const row = this.#stages[stage - 1];
      if (row === undefined) return;
      row.done = facts.iteration;
      row.firstReward ??= facts.meanReward;
      row.lastReward = facts.meanReward;
      this.set({ ...facts, stage, evaluations: { ...this.progress.evaluations, ...evaluations } });
    };
    setHandler(stageProgressSignal, takeReport, { description: 'From a stage to its run after each iteration.' });
  }

  get #phase(): Progress['phase'] {
    if (this.#decisions.open !== null) return 'undecided';
    if (this.control.stopping) return 'stopping';
    return this.control.paused ? 'paused' : this.progress.phase;
  }

  get #seen(): Progress {
    return { ...this.progress, phase: this.#phase, question: this.#decisions.open };
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
      rateFactor: this.rateFactor,
    };
  }

  /** Resolves when a person has decided. */
  ask(question: OpenQuestion): Promise<Decision> {
    return this.#decisions.ask(question, () => this.#show());
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
    setCurrentDetails(runDetails(this.input.plan, this.#seen, this.#stages));
  }

  async #forward(change: 'pause' | 'unpause' | 'stop'): Promise<void> {
    // Nobody answers a question of a run that is to end.
    if (change === 'stop' && this.#decisions.open !== null) {
      await this.#decisions.answer({ choice: 'stop' }, () => this.#show());
    }
    this.#show();
    if (this.openStage === null) return;
    const signal = { pause: pauseSignal, unpause: unpauseSignal, stop: stopSignal }[change];
    // A stage that has just ended needs no signal: the run itself checks before the next one.
    await getExternalWorkflowHandle(this.openStage)
      .signal(signal)
      .catch(() => undefined);
  }
}
