/**
 * `eval RUN@vN`: avg@k of one policy version on a questions file (or the run's held-out questions). The evaluation's name
 * is derived from what is measured, so the same command again goes on with it, or shows what it found.
 */
import { pinVersion, unpin } from '../../activities/policy/pins.ts';
import { loadQuestionsFile } from '../../activities/questions/load-questions.ts';
import { revisionOf } from '../../activities/recipe-revision.ts';
import type { EvaluationDocument, RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { evaluationId, policyVersionName } from '../../shared/domain/ids.ts';
import type { SearchPlan } from '../../shared/domain/search-plan.ts';
import { DomainError } from '../../shared/errors.ts';
import { evaluationName } from '../../shared/evaluation/name.ts';
import type { Measured } from '../../shared/evaluation/name.ts';
import { evaluationBatches } from '../../shared/plan/run-plan.ts';
import type { EvaluationInput, evaluation } from '../../workflows/evaluation.ts';
import { priorityOf } from '../../workflows/priority.ts';
import { visible } from '../../workflows/search-attributes.ts';
import type { Cli } from '../command.ts';
import { datasetOf } from '../datasets.ts';
import type { Dataset } from '../datasets.ts';
import { sayPages } from '../pages.ts';
import type { Session } from '../session.ts';
import { storeDataset } from '../start-run.ts';
import { awaitWorkflow } from './await-workflow.ts';
import { searchedReference, storeSystem } from './answering-system.ts';
import type { AnsweringReference, SystemRequest } from './answering-system.ts';
import { isWholeEvaluation, restoreAnswers } from './restore.ts';
import { search, storeSearch } from './search.ts';
import { pinPolicy, untrainedVersion } from './pinned-policy.ts';

export interface EvaluationRequest {
  /** RUN, RUN@latest or RUN@vN. */
  policy: string;
  /** A questions file; absent: the run's held-out questions. */
  questions?: Dataset;
  system: SystemRequest;
  samples: number;
  limit?: number;
  /** Fresh designs even where the same has been measured. */
  again: boolean;
}

/** The questions of `--questions`. Throws `InvalidInput` (`file:line: field: reason`). */
export async function readQuestions(path: string): Promise<Dataset> {
  const { questions, provenance } = await loadQuestionsFile(path);
  return datasetOf(path.split('/').at(-1)!, questions, provenance);
}

/** The finished evaluation, measured now or found in the store. */
export async function evaluate(cli: Cli, session: Session, request: EvaluationRequest): Promise<EvaluationDocument> {
  const { store, client, config } = session;
  const { system } = request.system;
  const pinned = await pinPolicy(store, request.policy);
  const { run } = pinned;
  const isUntrained = system?.kind === 'designed' && system.version === 'untrained';
  const policyVersion = isUntrained ? await untrainedVersion(store, request.policy) : pinned.policyVersion;
  const { questions: file, samples } = request;
  if (file !== undefined) await storeDataset(store, file);
  const dataset = file === undefined ? run.datasets.heldOut : { digest: file.digest, count: file.questions.length };
  const questions = Math.min(dataset.count, request.limit ?? dataset.count);
  const { answering, plan: searchPlan } = await answeringSystem(session, run, policyVersion, request.system);
  const measured = { label: answering.label, policyVersion, samples, dataset: dataset.digest, questions };
  const { name, standing } = await nameOf(store, run._id, measured, request.again);
  const id = evaluationId(run._id, name);
  // From before the search on: a run that goes on prunes the version once the search has ended.
  await pinVersion(store, run, policyVersion, id);
  if (searchPlan !== null) await search(cli, session, run, searchPlan);
  if (standing !== null && (await isWholeEvaluation(cli, session, standing))) {
    cli.log(`${standing._id} is in the store already; for fresh designs add --again`);
    await unpin(store, run._id, id);
    return standing;
  }
  await restoreAnswers(cli, session, id);
  const input: EvaluationInput = {
    runId: run._id,
    name,
    policyVersion,
    dataset: dataset.digest,
    system: answering.id,
    plan: {
      queues: config.queues,
      activities: config.activities,
      evaluation: { samples, questions, ...evaluationBatches, everyIterations: 0 },
      revision: revisionOf(run),
    },
  };
  const handle = await client.workflow.start<typeof evaluation>('evaluation', {
    workflowId: id,
    taskQueue: config.queues.control,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [input],
    staticSummary: `${answering.name}: avg@${samples} of ${policyVersionName(policyVersion)} on ${questions} questions`,
    priority: priorityOf('evaluation', run._id),
    typedSearchAttributes: visible({ runId: run._id, policyVersion }),
  });
  sayPages(cli, session, id);
  await awaitWorkflow(cli, session, {
    workflowId: id,
    title: id,
    result: handle.result(),
    advice: [
      session.hasOwnWorkers
        ? 'Nothing is lost. Go on by giving the same command again.'
        : 'It goes on without you. See its result by giving the same command again.',
    ],
  });
  return readEvaluation(store, id);
}

/** With the search that finds it, where it has to be found. */
async function answeringSystem(
  { store, config }: Session,
  run: RunDocument,
  policyVersion: number,
  { system, budget, search: settings }: SystemRequest,
): Promise<{ answering: AnsweringReference; plan: SearchPlan | null }> {
  if (system?.kind !== 'searched') {
    return { answering: await storeSystem(store, run, { system, budget }), plan: null };
  }
  const plan = await storeSearch(store, config, run, policyVersion, { system, budget, settings });
  return { answering: searchedReference(plan, system.name), plan };
}

/** Throws `NotFound` where there is no such evaluation. */
export async function readEvaluation(store: Store, id: string): Promise<EvaluationDocument> {
  const found = await store.evaluations.findOne({ _id: id });
  if (found !== null) return found;
  throw new DomainError('NotFound', `there is no evaluation '${id}' in the store; see: npx metaagentx eval list`, {
    id,
  });
}

/** The first name that is free, or the newest evaluation of the same where that is to be shown. */
async function nameOf(store: Store, runId: string, measured: Omit<Measured, 'repetition'>, again: boolean) {
  let newest: EvaluationDocument | null = null;
  for (let repetition = 1; ; repetition++) {
    const name = evaluationName({ ...measured, repetition });
    const standing = await store.evaluations.findOne({ _id: evaluationId(runId, name) });
    if (standing === null)
      return again || newest === null ? { name, standing: null } : { name: newest.name, standing: newest };
    newest = standing;
  }
}
