/** Counters of what activities do, beside the SDK's own metrics. Outside an activity (tests, the command line) they count nothing. */
import { Context } from '@temporalio/activity';

const meterHere = () => {
  try {
    return Context.current().metricMeter;
  } catch {
    return null;
  }
};

/** Adds to `metaagentx_NAME`. Tags must have few values: an outcome, never an id. */
export function count(name: string, value: number, tags: Record<string, string> = {}): void {
  if (value > 0) meterHere()?.createCounter(`metaagentx_${name}`).add(value, tags);
}
