/** What a person decides when an update's loss is not finite: the run waits until somebody does. */
import { DomainError } from '../errors.ts';

export type Decision =
  /** The version advances with the same weights. */
  | { choice: 'skip' }
  /** This update and all later ones run with the learning rate multiplied by `factor`, in (0, 1). */
  | { choice: 'lower-rate'; factor: number }
  /** The run ends before this update; `resume` meets it again. */
  | { choice: 'stop' };

export type DecisionChoice = Decision['choice'];

/** A run that waits for a decision. */
export interface OpenQuestion {
  /** Workflow that waits. */
  workflowId: string;
  /** What it was about to make: an iteration, or a chunk of the cold start. */
  about: string;
  failure: string;
  choices: readonly DecisionChoice[];
}

/** Returns `value` as a decision that `question` allows, or throws `InvalidInput` with what was expected. */
export function checkDecision(value: unknown, question: Pick<OpenQuestion, 'choices'>): Decision {
  const { choice, factor, ...rest } = (value ?? {}) as Partial<Record<'choice' | 'factor', unknown>>;
  const refuse = (why: string): never => {
    throw new DomainError('InvalidInput', `this is no decision: ${why}, seen ${JSON.stringify(value)}`, {
      choices: question.choices,
    });
  };
  const allowed = question.choices.find((each) => each === choice);
  if (allowed === undefined) return refuse(`expected {"choice": one of ${question.choices.join(', ')}}`);
  if (Object.keys(rest).length > 0) return refuse(`unknown field ${Object.keys(rest).join(', ')}`);
  if (allowed !== 'lower-rate')
    return factor === undefined ? { choice: allowed } : refuse('only lower-rate has a factor');
  if (typeof factor === 'number' && factor > 0 && factor < 1) return { choice: allowed, factor };
  return refuse('lower-rate needs a factor between 0 and 1');
}
