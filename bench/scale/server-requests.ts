/** What the Temporal server counts of itself: requests to it and to its database, by operation (its Prometheus endpoint). */

/** How often each operation was asked for: `frontend RespondWorkflowTaskCompleted`, `database UpdateWorkflowExecution` ... */
export type Requests = Record<string, number>;

const line = /^(service|persistence)_requests\{(.*)\} (\S+)$/;
const labelOf = (labels: string, name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';

export async function readRequests(metricsPort: number): Promise<Requests> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const sums: Requests = {};
  for (const [, kind, labels, value] of text.split('\n').flatMap((each) => [line.exec(each) ?? []])) {
    if (kind === undefined) continue;
    const service = labelOf(labels!, 'service_name');
    // Requests between its own parts (history, matching) follow from those to its front and to its database.
    if (kind === 'service' && service !== 'frontend') continue;
    const key = `${kind === 'service' ? 'frontend' : 'database'} ${labelOf(labels!, 'operation')}`;
    sums[key] = (sums[key] ?? 0) + Number(value);
  }
  return sums;
}

/** What came to it between two readings, most frequent first. */
export function requestsBetween(before: Requests, after: Requests): [operation: string, count: number][] {
  return Object.entries(after)
    .map(([operation, count]): [string, number] => [operation, count - (before[operation] ?? 0)])
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
}
