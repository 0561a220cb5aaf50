/**
 * A loss that is not finite is no failure of the run: whoever meets one asks the run, which waits for a person. The
 * answer comes as an update of the run (`decide`), from the command line or the Temporal UI.
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { condition, getExternalWorkflowHandle, setHandler, workflowInfo } from '@temporalio/workflow';
import type { Decision, DecisionChoice, OpenQuestion } from '../shared/domain/decision.ts';
import { checkDecision } from '../shared/domain/decision.ts';
import type { RunPlan } from '../shared/domain/plan.ts';
import { DomainError } from '../shared/errors.ts';
import { activitiesOf } from './activity-proxies.ts';
import { acceptsSignal } from './check-input.ts';
import { decideUpdate, decisionNeededSignal, decisionSignal } from './messages.ts';

/** The message of a `NonFiniteLoss`; null for any other error. */
export function nonFiniteLoss(error: unknown): string | null {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure && cause.type === 'NonFiniteLoss' ? cause.message : null;
}

type Ask = (question: OpenQuestion) => Promise<Decision>;

interface Guarded<Result> {
  runId: string;
  plan: Pick<RunPlan, 'queues' | 'activities'>;
  /** What is being made. */
  about: string;
  choices: readonly DecisionChoice[];
  rateFactor: number;
  ask: Ask;
  /** One try, with the learning rate multiplied by `rateFactor`; `skip` once that was decided. */
  attempt: (settings: { rateFactor: number; skip: boolean }) => Promise<Result>;
}

/** Tries until the loss is finite or a person has decided otherwise; null: the run is to stop. */
export async function withDecisions<Result>(
  guarded: Guarded<Result>,
): Promise<{ result: Result; rateFactor: number } | null> {
  const { runId, plan, about, choices, ask } = guarded;
  const { control } = activitiesOf(plan);
  let { rateFactor } = guarded;
  let skip = false;
  for (let asked = 1; ; asked++) {
    try {
      return { result: await guarded.attempt({ rateFactor, skip }), rateFactor };
    } catch (error) {
      const failure = nonFiniteLoss(error);
      if (failure === null) throw error;
      const decision = await ask({ workflowId: workflowInfo().workflowId, about, failure, choices });
      const id = `${workflowInfo().runId}#${asked}`;
      await control.recordDecision.executeWithOptions({ summary: `decided: ${decision.choice}` }, [
        { runId, id, about, failure, decision },
      ]);
      if (decision.choice === 'stop') return null;
      if (decision.choice === 'skip') skip = true;
      else rateFactor *= decision.factor;
    }
  }
}

/** For a child: lets the run ask. Install it before the first question. */
export function askThroughRun(runId: string): Ask {
  let answer: Decision | null = null;
  const take = (decision: Decision) => {
    if (acceptsSignal('decision', decision, { choice: 'text' })) answer = decision;
  };
  setHandler(decisionSignal, take, { description: 'From the run: what was decided.' });
  return async (question) => {
    answer = null;
    await getExternalWorkflowHandle(runId).signal(decisionNeededSignal, question);
    await condition(() => answer !== null);
    return answer!;
  };
}

/** For the run: one open question at a time, its own or a child's. */
export class Decisions {
  #answer: Decision | null = null;
  open: OpenQuestion | null = null;

  /** Installs the handlers; `onChange` shows the question, or that there is none any more. */
  listen(onChange: () => void): void {
    const take = (question: OpenQuestion) => {
      if (!acceptsSignal('decisionNeeded', question, { workflowId: 'text', about: 'text', choices: 'list' })) return;
      this.open = question;
      onChange();
    };
    setHandler(decisionNeededSignal, take, { description: 'From a child: an update cannot go on by itself.' });
    setHandler(decideUpdate, (decision) => this.answer(decision, onChange), {
      description:
        'What to do about a loss that is not finite: {"choice":"skip"}, {"choice":"lower-rate","factor":0.5} or {"choice":"stop"}.',
      validator: (decision) => void this.#checked(decision),
    });
  }

  async answer(decision: Decision, onChange: () => void): Promise<string> {
    const { workflowId, about } = this.#checked(decision);
    this.open = null;
    onChange();
    if (workflowId === workflowInfo().workflowId) this.#answer = decision;
    else await getExternalWorkflowHandle(workflowId).signal(decisionSignal, decision);
    return `${about}: ${decision.choice}`;
  }

  /** The run's own question. */
  async ask(question: OpenQuestion, onChange: () => void): Promise<Decision> {
    this.#answer = null;
    this.open = question;
    onChange();
    await condition(() => this.#answer !== null);
    return this.#answer!;
  }

  #checked(decision: unknown): OpenQuestion {
    const refuse = (name: string, message: string) => ApplicationFailure.nonRetryable(message, name);
    if (this.open === null) throw refuse('InvalidInput', 'this run waits for no decision');
    try {
      checkDecision(decision, this.open);
    } catch (error) {
      if (error instanceof DomainError) throw refuse(error.name, error.message);
      throw error;
    }
    return this.open;
  }
}
