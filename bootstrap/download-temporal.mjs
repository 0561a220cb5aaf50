/**
 * Child of temporal.mjs: lets the Temporal SDK download its CLI into the folder given as first argument, by starting the
 * dev server once. A process of its own, because the SDK's download cannot be interrupted.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';

try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: process.argv[2], ttl: '3650 days' } },
  });
  await environment.teardown();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`, () => process.exit(1));
}
