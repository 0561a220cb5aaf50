/**
 * A study's runs before the study goes on: where the store has lost writes of one, it is rolled back to what is whole, as
 * `resume` does with a run. Runs that another workflow drives, such as cold starts of another study, are left to it.
 */
import { policyVersionName } from '../../shared/domain/ids.ts';
import { mendStages } from '../../activities/recovery/stage-records.ts';
import { readRun } from '../../activities/run-context.ts';
import type { Cli } from '../command.ts';
import { checkWeights, findLosses, undoLosses, untilChildrenEnd, workflowState } from '../lost-writes.ts';
import type { Findings } from '../lost-writes.ts';
import type { Session } from '../session.ts';
import { terminateWorkflow, workflowStatus } from '../workflow-status.ts';

/** `running`: the study's workflow is under way and nothing was lost; `resting`: it is to be started. */
export async function restoreRuns(
  cli: Cli,
  { store, client }: Pick<Session, 'store' | 'client'>,
  workflowId: string,
  runIds: readonly string[],
): Promise<'running' | 'resting'> {
  if ((await workflowStatus(client, workflowId)) === 'RUNNING') {
    const ahead = await firstAhead({ store, client }, runIds);
    if (ahead === null) return 'running';
    await terminateWorkflow(client, workflowId, `the store has lost ${ahead}`);
  }
  await untilChildrenEnd(client, workflowId);
  const found: [runId: string, findings: Findings][] = [];
  for (const runId of runIds) {
    const { status, ahead } = await workflowState(store, client, runId);
    if (status === 'RUNNING') continue;
    const findings = await findLosses(store, runId, ahead);
    await checkWeights(store, runId, findings.from);
    found.push([runId, findings]);
  }
  for (const [runId, findings] of found) {
    await undoLosses(store, runId, findings);
    const { from, losses } = findings;
    await mendStages(store, await readRun(store, runId), from);
    const to = from === null ? 'the beginning' : policyVersionName(from.policyVersion);
    if (losses.length > 0) cli.log(`run ${runId}: the store had lost ${losses.join('; ')}: going on from ${to}`);
  }
  return 'resting';
}

/** A version that a run under way has committed and the store does not have. */
async function firstAhead(
  { store, client }: Pick<Session, 'store' | 'client'>,
  runIds: readonly string[],
): Promise<string | null> {
  for (const runId of runIds) {
    const { status, ahead } = await workflowState(store, client, runId);
    if (status === 'RUNNING' && ahead !== null) return ahead;
  }
  return null;
}
