/** Where a worker process serves Prometheus: the SDK's metrics, what activities count, the engine's state; all by the SDK's endpoint. */
import { DomainError } from '../shared/errors.ts';
import { queueNames } from './queues.ts';
import type { QueueName } from './queues.ts';

/**
 * Where this process serves: METAAGENTX_METRICS (`host:port`), else what the configuration says, else null. A worker of
 * one queue takes the port of its queue (control, gpu, sandbox: the port, and the two after it), so that the workers of
 * one machine do not meet. Throws `InvalidConfig`.
 */
export function metricsAddress(
  queues: readonly QueueName[],
  configured: string | null,
  environment: NodeJS.ProcessEnv,
) {
  const text = environment.METAAGENTX_METRICS || configured;
  if (text === null) return null;
  const match = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_533) {
    throw new DomainError(
      'InvalidConfig',
      `the address for metrics, '${text}', is not HOST:PORT with a port up to 65533`,
    );
  }
  return `${match[1]}:${port + (queues.length === 1 ? queueNames.indexOf(queues[0]!) : 0)}`;
}
