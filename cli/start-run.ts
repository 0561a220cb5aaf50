/**
 * Starts a run: datasets and questions, then the run document, then the workflow. Every write is insert-once under a
 * derived id, so a start that was cut off anywhere is completed by `resume`.
 */
import type { Client } from '@temporalio/client';
import { revisionOf } from '../activities/recipe-revision.ts';
import { readRun } from '../activities/run-context.ts';
import type { Store } from '../activities/store/connect.ts';
import type { QuestionDocument, RunDocument } from '../activities/store/documents.ts';
import { insertAllOnce, insertOnce } from '../activities/store/write.ts';
import type { Draft } from '../activities/store/write.ts';
import type { Recipe } from '../shared/config/recipe.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { DomainError } from '../shared/errors.ts';
import { makeRunPlan } from '../shared/plan/run-plan.ts';
import type { RunPlan, RunPosition } from '../shared/domain/plan.ts';
import type { trainingRun } from '../workflows/training-run.ts';
import { priorityOf } from '../workflows/priority.ts';
import { visible } from '../workflows/search-attributes.ts';
import type { Dataset, RunDatasets } from './datasets.ts';
import { promptsInForce } from './prompts-in-force.ts';
import { environmentFacts } from './environment-facts.ts';
import { codeVersion } from './settings.ts';

/** Question documents of one write: some megabytes at most, for code questions with large tests. */
const questionsPerWrite = 200;

export interface RunRequest {
  runId: string;
  recipe: Recipe;
  datasets: Pick<RunDatasets, 'train' | 'heldOut'>;
  config: TemporalConfig;
  /** For links from the Temporal UI. */
  dashboardUrl?: string | null;
  forkedFrom?: RunDocument['forkedFrom'];
}

/** Throws `InvalidInput` where the run id is taken, in the store or on the server. */
export async function startRun(store: Store, client: Client, request: RunRequest): Promise<RunPlan> {
  const { runId } = request;
  await checkFree(store, client, runId);
  const { inserted, plan } = await createRun(store, request);
  if (!inserted) throw taken(runId);
  await startWorkflow(client, await readRun(store, runId), null, request.dashboardUrl);
  return plan;
}

/** Stores what a run is, without starting it; false where it is stored already. */
export async function createRun(store: Store, request: RunRequest): Promise<{ inserted: boolean; plan: RunPlan }> {
  const { train, heldOut } = request.datasets;
  for (const dataset of [train, heldOut]) await storeDataset(store, dataset);
  return recordRun(store, { ...request, datasets: { train: referenceTo(train), heldOut: referenceTo(heldOut) } });
}

/** The run's document alone; its questions are stored. */
export async function recordRun(
  store: Store,
  request: Omit<RunRequest, 'datasets'> & Pick<RunDocument, 'datasets'>,
): Promise<{ inserted: boolean; plan: RunPlan }> {
  const { runId, recipe, datasets, config, forkedFrom } = request;
  const { queues, activities } = config;
  const sizes = { trainQuestions: datasets.train.count, heldOutQuestions: datasets.heldOut.count };
  const plan = makeRunPlan({ recipe, ...sizes, queues, activities });
  const inserted = await insertOnce<RunDocument>(store.runs, {
    _id: runId,
    recipe,
    plan,
    status: 'created',
    codeVersion: await codeVersion(),
    environment: await environmentFacts(),
    datasets,
    prompts: promptsInForce(recipe.prompts.form, recipe.designs.tools),
    ...(forkedFrom === undefined ? {} : { forkedFrom }),
  });
  return { inserted, plan };
}

/** Throws `InvalidInput` where the run id is taken, in the store or on the server. */
export async function checkFree(store: Store, client: Client, runId: string): Promise<void> {
  if ((await store.runs.findOne({ _id: runId }, { projection: { _id: 1 } })) !== null) throw taken(runId);
  if ((await store.policies.findOne({ runId }, { projection: { _id: 1 } })) !== null) {
    throw new DomainError('InvalidInput', `'${runId}' is the name of an imported policy: choose another --run-id`, {
      runId,
    });
  }
  const running = await client.workflow
    .getHandle(runId)
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      (error: Error) => {
        if (error.name === 'WorkflowNotFoundError') return false;
        throw error;
      },
    );
  if (running) {
    throw new DomainError(
      'InvalidInput',
      `a workflow '${runId}' is running on this Temporal server but the store has no such run: choose another --run-id, or end it with: temporal workflow terminate --workflow-id ${runId}`,
      { runId },
    );
  }
}

export const taken = (runId: string) =>
  new DomainError(
    'InvalidInput',
    `run id '${runId}' is taken: choose another --run-id, or go on with it: npx metaagentx resume ${runId}`,
    { runId },
  );

const referenceTo = ({ digest, name, questions }: Dataset) => ({ digest, name, count: questions.length });

/** The dataset document comes last: where it stands, all questions do. */
export async function storeDataset(store: Store, dataset: Dataset): Promise<void> {
  const { digest, name, questions, provenance } = dataset;
  if ((await store.datasets.findOne({ _id: digest }, { projection: { _id: 1 } })) !== null) return;
  for (let from = 0; from < questions.length; from += questionsPerWrite) {
    const drafts: Draft<QuestionDocument>[] = questions
      .slice(from, from + questionsPerWrite)
      .map((question, offset) => ({ _id: `${digest}/${from + offset}`, digest, index: from + offset, question }));
    await insertAllOnce(store.questions, drafts);
  }
  await insertOnce(store.datasets, { _id: digest, name, count: questions.length, provenance });
}

/**
 * `from` is null for a new run, else where the database says the run stands. `dashboardUrl` belongs to this start, not to
 * the run: it may be another at the next.
 */
export async function startWorkflow(
  client: Client,
  run: RunDocument,
  from: RunPosition | null,
  dashboardUrl?: string | null,
): Promise<void> {
  const { _id: runId, recipe, datasets } = run;
  const plan = { ...run.plan, revision: revisionOf(run), ...(dashboardUrl == null ? {} : { dashboardUrl }) };
  const stages = plan.stages.map(({ learner, iterations }) => `${learner} × ${iterations}`).join(', ');
  await client.workflow.start<typeof trainingRun>('trainingRun', {
    workflowId: runId,
    taskQueue: plan.queues.control,
    args: [{ runId, dataset: datasets.train.digest, plan, from }],
    priority: priorityOf('training', runId),
    typedSearchAttributes: visible({ runId, dataset: datasets.train.name }),
    staticSummary: `${recipe.name} · seed ${recipe.seed} · ${stages}`,
    staticDetails: detailsOf(run),
  });
}

function detailsOf({ recipe, datasets, plan }: RunDocument): string {
  const { questionsPerIteration, designsPerQuestion, executionsPerDesign } = plan.rollout;
  return [
    recipe.description,
    '',
    `${questionsPerIteration} questions × ${designsPerQuestion} designs × ${executionsPerDesign} executions an iteration`,
    `train: ${datasets.train.name} · held out: ${datasets.heldOut.name}`,
  ].join('\n');
}
