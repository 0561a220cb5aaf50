/** Whether this execution runs on workers that carry a version; the server takes a versioning behaviour from no others. */
import { workflowInfo } from '@temporalio/workflow';

export const isVersioned = (): boolean => workflowInfo().currentDeploymentVersion !== undefined;
