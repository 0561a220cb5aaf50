/** One workflow history, reduced to what its activities did: what was asked, how often it was tried, when it completed. */
import type { Client, WorkflowHandle } from '@temporalio/client';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];
type Scheduled = NonNullable<Event['activityTaskScheduledEventAttributes']>;
type Failure = NonNullable<NonNullable<Event['activityTaskFailedEventAttributes']>['failure']>;

export interface ActivityFacts {
  type: string;
  input: Record<string, unknown>;
  /** Equal for equal work. */
  key: string;
  /** Of the last attempt; 0 while it waits. */
  attempts: number;
  /** Why the attempt before the last one failed, as a name. */
  lastFailure: string | null;
  /** Milliseconds since the epoch, or null. */
  completedMs: number | null;
  failure: string | null;
}

/** The history with the inputs of its activities opened by the client's own codecs; what they cannot open stays as it is. */
export async function opened(client: Client, history: History): Promise<History> {
  const { payloadCodecs } = client.options.loadedDataConverter;
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
    let payloads = scheduled?.input?.payloads ?? [];
    for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads).catch(() => payloads);
    if (scheduled?.input) scheduled.input.payloads = payloads;
  }
  return history;
}

/** The JSON of the first payload; null for one that is encrypted or of another kind. */
function firstInput(payloads: Scheduled['input']): Record<string, unknown> | null {
  const data = payloads?.payloads?.[0]?.data;
  const encoding = payloads?.payloads?.[0]?.metadata?.encoding;
  if (!data || !encoding || Buffer.from(encoding).toString() !== 'json/plain') return null;
  return JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>;
}

const sorted = (_key: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

const milliseconds = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/** What the UI would call it: the application's own name, or the kind of timeout. */
export function failureName(failure: Failure | null | undefined): string | null {
  if (!failure) return null;
  const timeout = failure.timeoutFailureInfo?.timeoutType;
  if (timeout != null)
    return `timeout ${['', 'start-to-close', 'schedule-to-start', 'schedule-to-close', 'heartbeat'][timeout]}`;
  return failure.applicationFailureInfo?.type ?? failureName(failure.cause) ?? failure.message ?? 'failure';
}

/** Activities of a history in the order of their scheduling; null where inputs cannot be read. */
export function readActivities(history: History): ActivityFacts[] | null {
  const byEvent = new Map<string, ActivityFacts>();
  for (const event of history.events ?? []) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const input = firstInput(scheduled.input);
      if (input === null) return null;
      const type = scheduled.activityType?.name ?? '';
      const key = `${type} ${JSON.stringify(input, sorted)}`;
      const facts = { type, input, key, attempts: 0, lastFailure: null, completedMs: null, failure: null };
      byEvent.set(String(event.eventId), facts);
    }
    const of = (id: unknown) => byEvent.get(String(id));
    const started = event.activityTaskStartedEventAttributes;
    const facts = of(started?.scheduledEventId);
    if (started && facts) {
      facts.attempts = started.attempt ?? 1;
      facts.lastFailure = failureName(started.lastFailure);
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const done = of(completed?.scheduledEventId);
    if (completed && done) done.completedMs = milliseconds(event.eventTime);
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    const lost = of(failed?.scheduledEventId);
    if (failed && lost) lost.failure = failureName(failed.failure);
  }
  return [...byEvent.values()];
}
