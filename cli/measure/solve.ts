/** `solve`: one question, stored as a dataset of its own, designed and executed by a pinned policy version. */
import { createHash } from 'node:crypto';
import { pinVersion, unpin } from '../../activities/policy/pins.ts';
import { revisionOf } from '../../activities/recipe-revision.ts';
import type { DesignDocument, ExecutionDocument, RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { designId, executionId, policyVersionName, rolloutId, solveId } from '../../shared/domain/ids.ts';
import type { Question } from '../../shared/domain/question.ts';
import type { solution } from '../../workflows/solution.ts';
import { priorityOf } from '../../workflows/priority.ts';
import { visible } from '../../workflows/search-attributes.ts';
import type { Cli } from '../command.ts';
import { datasetOf } from '../datasets.ts';
import type { Session } from '../session.ts';
import { storeDataset } from '../start-run.ts';
import { awaitWorkflow } from './await-workflow.ts';
import { pinPolicy } from './pinned-policy.ts';

export interface SolveRequest {
  /** RUN, RUN@latest or RUN@vN. */
  policy: string;
  question: string;
  /** Designs that are tried, at most. */
  designs: number;
}

export interface Solved {
  batchId: string;
  policyVersion: number;
  /** Every design that was tried, in order; the last one ran, if any may run. */
  designs: DesignDocument[];
  execution: ExecutionDocument | null;
}

const questionOf = (text: string): Question => ({
  id: createHash('sha256').update(text).digest('hex').slice(0, 16),
  text,
  kind: null,
  difficulty: null,
  verifier: { type: 'none' },
});

export async function solve(cli: Cli, session: Session, request: SolveRequest): Promise<Solved> {
  const { store } = session;
  const { run, policyVersion } = await pinPolicy(store, request.policy);
  const dataset = datasetOf('asked by hand', [questionOf(request.question)], { made: 'solve' });
  await storeDataset(store, dataset);
  const { handle, batchId } = await start(session, run, policyVersion, dataset.digest, request.designs);
  const result = await awaitWorkflow(cli, session, {
    workflowId: batchId,
    title: batchId,
    result: handle.result(),
    advice: [`It goes on where workers are. See what became of it: npx metaagentx inspect ${batchId}`],
  });
  await unpin(store, run._id, batchId);
  const rollout = rolloutId(batchId, 0);
  const designs = await store.designs.find({ rolloutId: rollout }).sort({ design: 1 }).toArray();
  const execution = await executionOf(store, rollout, result.design);
  return { batchId, policyVersion, designs, execution };
}

async function executionOf(store: Store, rollout: string, design: number | null): Promise<ExecutionDocument | null> {
  if (design === null) return null;
  return store.executions.findOne({ _id: executionId(designId(rollout, design), 0) });
}

/** Each asking has an id of its own, so its designs are fresh. */
async function start(session: Session, run: RunDocument, policyVersion: number, dataset: string, designs: number) {
  const { client, store, config } = session;
  const runId = run._id;
  for (let asking = 0; ; asking++) {
    const batchId = solveId(runId, dataset, asking);
    if ((await store.designs.findOne({ batchId }, { projection: { _id: 1 } })) !== null) continue;
    await pinVersion(store, run, policyVersion, batchId);
    const plan = { queues: config.queues, activities: config.activities, revision: revisionOf(run) };
    try {
      const handle = await client.workflow.start<typeof solution>('solution', {
        workflowId: batchId,
        taskQueue: config.queues.control,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        args: [{ runId, batchId, policyVersion, dataset, designs, plan }],
        staticSummary: `one question for ${policyVersionName(policyVersion)}`,
        priority: priorityOf('solve', runId),
        typedSearchAttributes: visible({ runId, policyVersion }),
      });
      return { handle, batchId };
    } catch (error) {
      // The pin is that asking's own.
      if ((error as Error).name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    }
  }
}
