/**
 * Whether this execution runs on workers that carry a version; the server takes a versioning behaviour from no others. The
 * SDK gives workers without one a version all the same, with an empty name.
 */
import { workflowInfo } from '@temporalio/workflow';

export const isVersioned = (): boolean => Boolean(workflowInfo().currentDeploymentVersion?.deploymentName);
