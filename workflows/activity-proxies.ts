/**
 * The only `proxyActivities` calls: which queue, how patient, what is never retried. Patience comes with the run's plan,
 * so it stands in the history.
 */
import { proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { ControlActivities, GpuActivities, SandboxActivities } from '../activities/index.ts';
import { neverRetried } from '../shared/errors.ts';
import type { ActivityPolicy, RunPlan } from '../shared/domain/plan.ts';

function optionsOf(taskQueue: string, policy: ActivityPolicy): ActivityOptions {
  return {
    taskQueue,
    startToCloseTimeout: policy.startToCloseMs,
    scheduleToStartTimeout: policy.scheduleToStartMs ?? undefined,
    heartbeatTimeout: policy.heartbeatMs ?? undefined,
    // A workflow that has ended has nothing at work any more; a worker that is dead keeps it for a heartbeat timeout.
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    retry: {
      initialInterval: policy.initialRetryMs,
      maximumInterval: policy.maximumRetryMs,
      backoffCoefficient: 2,
      nonRetryableErrorTypes: [...neverRetried],
    },
  };
}

/** Typed proxies of all activity groups. */
export function activitiesOf({ queues, activities }: Pick<RunPlan, 'queues' | 'activities'>) {
  return {
    control: proxyActivities<ControlActivities>(optionsOf(queues.control, activities.control)),
    rollout: proxyActivities<GpuActivities>(optionsOf(queues.gpu, activities.rollout)),
    train: proxyActivities<GpuActivities>(optionsOf(queues.gpu, activities.train)),
    sandbox: proxyActivities<SandboxActivities>(optionsOf(queues.sandbox, activities.sandbox)),
  };
}
