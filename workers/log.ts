/**
 * The one format of a worker's log lines: JSON by pino with level, time, queue and, where a line belongs to a workflow,
 * `run`, `stage`, `iteration`, `question`. On a terminal the same, set for reading. METAAGENTX_LOG names the level.
 */
import { DefaultLogger } from '@temporalio/worker';
import type { LogEntry, LogLevel } from '@temporalio/worker';
import { destination, pino } from 'pino';
import type { Logger } from 'pino';

const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** Throws nothing: an unknown level is `warn`. */
export function levelOf(environment: NodeJS.ProcessEnv): LogLevel {
  const wanted = (environment.METAAGENTX_LOG ?? 'warn').toUpperCase();
  return wanted in levels ? (wanted as LogLevel) : 'WARN';
}

/** Lines to standard error: standard output carries `ready QUEUE`. */
export async function openLog(queue: string, environment: NodeJS.ProcessEnv): Promise<Logger> {
  const options = {
    level: levels[levelOf(environment)],
    base: { queue, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (!process.stderr.isTTY) return pino(options, destination({ dest: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(options, pretty({ destination: 2, sync: true, ignore: 'pid' }));
}

/** The SDK's own lines, and those of activities and workflows, in that format. */
export const sdkLogger = (log: Logger, environment: NodeJS.ProcessEnv): DefaultLogger =>
  new DefaultLogger(levelOf(environment), (entry) => log[levels[entry.level]](fieldsOf(entry), entry.message));

function fieldsOf({ meta = {} }: LogEntry): Record<string, unknown> {
  const { error, ...rest } = meta as Record<string, unknown> & { error?: unknown; workflowId?: string };
  return {
    ...(typeof rest.workflowId === 'string' ? placeOf(rest.workflowId) : {}),
    ...rest,
    ...(error === undefined ? {} : { err: error }),
  };
}

/** Ids are paths: what a workflow id says about where in which run it is. */
export function placeOf(workflowId: string): Record<string, string | number> {
  const [run = '', ...parts] = workflowId.split('/');
  const place: Record<string, string | number> = { run };
  for (const part of parts) {
    const [, kind = '', number = ''] = /^(stage|iter|q)-(\d+)/.exec(part) ?? [];
    const name = { stage: 'stage', iter: 'iteration', q: 'question' }[kind];
    if (name !== undefined) place[name] = Number(number);
    else if (part.startsWith('eval-')) place.evaluation = part.slice('eval-'.length);
  }
  return place;
}
