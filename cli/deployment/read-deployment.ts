/** What Temporal knows of a worker deployment: its versions, which one new workflows go to, and which may be stopped. */
import type { Client } from '@temporalio/client';
import { DomainError } from '../../shared/errors.ts';

export interface DeploymentVersion {
  buildId: string;
  /** `current`: new workflows go here. `ramping`: a share of them. `draining`: it still has workflows. `drained`: it may be stopped. */
  status: 'current' | 'ramping' | 'draining' | 'drained' | 'inactive';
  /** Share of new workflows, in percent; null unless `ramping`. */
  percent: number | null;
}

export interface Deployment {
  name: string;
  /** Null: workers without a version. */
  current: string | null;
  versions: DeploymentVersion[];
}

/** Number of gRPC's status "not found". */
const notFound = 5;

/** Throws `NotFound` where no worker of this deployment has ever polled. */
export async function readDeployment(client: Client, name: string): Promise<Deployment> {
  const { namespace } = client.options;
  const described = await client.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: name })
    .catch((cause: { code?: number; message: string }) => {
      if (cause.code !== notFound) throw cause;
      throw new DomainError(
        'NotFound',
        `no worker of the deployment '${name}' has started yet: start one with METAAGENTX_BUILD_ID=BUILD npx metaagentx worker control`,
        { deployment: name },
      );
    });
  const { routingConfig, versionSummaries } = described.workerDeploymentInfo ?? {};
  const current = routingConfig?.currentDeploymentVersion?.buildId ?? null;
  const ramping = routingConfig?.rampingDeploymentVersion?.buildId ?? null;
  const versions = (versionSummaries ?? []).map(({ deploymentVersion, drainageInfo }): DeploymentVersion => {
    const buildId = deploymentVersion?.buildId ?? '';
    if (buildId === current) return { buildId, status: 'current', percent: null };
    if (buildId === ramping)
      return { buildId, status: 'ramping', percent: routingConfig?.rampingVersionPercentage ?? 0 };
    const status = ([undefined, 'draining', 'drained'] as const)[drainageInfo?.status ?? 0] ?? 'inactive';
    return { buildId, status, percent: null };
  });
  return { name, current, versions };
}

/** Throws `NotFound` where the deployment has no such version. */
export async function checkVersion(client: Client, name: string, buildId: string): Promise<void> {
  const { versions } = await readDeployment(client, name);
  if (versions.some((version) => version.buildId === buildId)) return;
  throw new DomainError(
    'NotFound',
    `the deployment '${name}' has no version '${buildId}': it has ${versions.map((version) => version.buildId).join(', ')}. Start a worker of it first`,
    { deployment: name, buildId },
  );
}
