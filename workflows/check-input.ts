/**
 * What came from outside and may be anything: a start with a wrong payload fails by name and is not tried again, a signal
 * with one is ignored and said. Checked is what the workflow would stumble over, not what activities check themselves.
 */
import { ApplicationFailure } from '@temporalio/common';
import { log } from '@temporalio/workflow';

type Kind = 'text' | 'number' | 'list' | 'object';
/** By path: `plan.queues.control`. */
export type Fields = Readonly<Record<string, Kind>>;

const isOf: Record<Kind, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string' && value !== '',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  list: Array.isArray,
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((seen, name) => (isOf.object(seen) ? (seen as Record<string, unknown>)[name] : undefined), value);

/** What a plan that activities are proxied from must say, where it is the input itself. */
export const unnestedPlanFields: Fields = {
  'queues.control': 'text',
  'queues.gpu': 'text',
  'queues.sandbox': 'text',
  'activities.control.startToCloseMs': 'number',
  'activities.rollout.startToCloseMs': 'number',
  'activities.train.startToCloseMs': 'number',
  'activities.sandbox.startToCloseMs': 'number',
};
/** The same, where the input has it as `plan`. */
export const planFields: Fields = Object.fromEntries(
  Object.entries(unnestedPlanFields).map(([path, kind]) => [`plan.${path}`, kind]),
);

/** The first field that is not as expected, as a sentence; null where all are. */
function fault(value: unknown, fields: Fields): string | null {
  if (!isOf.object(value)) return `expected an object, seen ${JSON.stringify(value) ?? 'nothing'}`;
  const wrong = Object.entries(fields).find(([path, kind]) => !isOf[kind](at(value, path)));
  if (wrong === undefined) return null;
  const seen = JSON.stringify(at(value, wrong[0]))?.slice(0, 80) ?? 'nothing';
  return `${wrong[0]}: expected ${wrong[1] === 'object' ? 'an object' : `a ${wrong[1]}`}, seen ${seen}`;
}

/** Throws a non-retryable `InvalidInput`, which fails the workflow. */
export function checkInput(workflow: string, input: unknown, fields: Fields): void {
  const why = fault(input, fields);
  if (why === null) return;
  const message = `${workflow} cannot begin with this payload: ${why}. Start runs with: npx metaagentx train`;
  throw ApplicationFailure.nonRetryable(message, 'InvalidInput');
}

/** False for a payload that is not what the signal carries: it is to be ignored. */
export function acceptsSignal(signal: string, payload: unknown, fields: Fields): boolean {
  const why = fault(payload, fields);
  if (why !== null) log.warn(`a '${signal}' signal is ignored: ${why}`);
  return why === null;
}
