/** Sends a run's workflow a message, after making sure that it can hear it. */
import { readRun } from '../activities/run-context.ts';
import { DomainError } from '../shared/errors.ts';
import { studyOfWorkflow } from '../shared/domain/ids.ts';
import type { Cli, CommandResult } from './command.ts';
import { describeWorkflow } from './workflow-status.ts';
import { isServed, withSession } from './session.ts';

export type RunMessage = 'pause' | 'unpause' | 'stop' | 'stop --now';

const effects: Record<RunMessage, (runId: string, study: string | null) => string> = {
  pause: (runId) => `${runId} pauses after its current iteration. Go on with: npx metaagentx unpause ${runId}`,
  unpause: (runId) => `${runId} goes on. Watch it with: npx metaagentx status ${runId} --watch`,
  stop: (runId, study) => `${runId} ends after its current iteration. ${goingOn(runId, study)}`,
  'stop --now': (runId, study) => `${runId} is being cancelled. ${goingOn(runId, study)}`,
};

const goingOn = (runId: string, study: string | null) =>
  study === null
    ? `Go on later with: npx metaagentx resume ${runId}`
    : `Its study goes on with its other runs. Go on later by giving the study again: npx metaagentx study ${study}`;

/** Throws `RunNotFound`, or `InvalidInput` where the run is not running. */
export async function signalRun(cli: Cli, runId: string, message: RunMessage): Promise<CommandResult> {
  return withSession(cli, { stack: 'started', workers: 'none' }, async (session) => {
    const { store, client } = session;
    const run = await readRun(store, runId);
    const workflow = await describeWorkflow(client, runId);
    const status = workflow?.status.name ?? 'MISSING';
    if (status !== 'RUNNING') {
      throw new DomainError(
        'InvalidInput',
        `run '${runId}' is not running (run: ${run.status}, workflow: ${status.toLowerCase()}), so it cannot ${message}`,
        { runId, status },
      );
    }
    const handle = client.workflow.getHandle(runId);
    if (message === 'stop --now') await handle.cancel();
    else await handle.signal(message);
    const served = await isServed(session);
    const waits = served ? '' : '\nNo worker serves it at the moment; it hears this when one does (npx metaagentx up).';
    const study = studyOfWorkflow(workflow?.parentExecution?.workflowId ?? '');
    return { data: { runId, sent: message, study, served }, text: effects[message](runId, study) + waits };
  });
}
