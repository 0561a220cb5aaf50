/**
 * Child of temporal.mjs: lets the Temporal SDK download its CLI into the folder given as first argument, by starting the
 * dev server once. A process of its own, because the SDK's download cannot be interrupted.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const downloadDir = process.argv[2];
const environment = await TestWorkflowEnvironment.createLocal({
  server: { executable: { type: 'cached-download', downloadDir, ttl: '3650 days' } },
});
await environment.teardown();
process.exit(0);
