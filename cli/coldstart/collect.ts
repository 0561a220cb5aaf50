/** `coldstart collect`: the teacher as a run of its own, then the workflow that fills its set, started or gone on with. */
import type { SftSetDocument } from '../../activities/store/documents.ts';
import { countExamples, readSet } from '../../activities/coldstart/read-set.ts';
import { revisionOf } from '../../activities/recipe-revision.ts';
import { readRun } from '../../activities/run-context.ts';
import type { CollectionPlan } from '../../shared/domain/collection-plan.ts';
import { checkRunId, collectionId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { coldStartCollection } from '../../workflows/cold-start-collection.ts';
import { visible } from '../../workflows/search-attributes.ts';
import type { Cli } from '../command.ts';
import { loadDatasets, withQuestionFiles } from '../datasets.ts';
import type { RunDatasets } from '../datasets.ts';
import { awaitWorkflow } from '../measure/await-workflow.ts';
import { restoreAnswers } from '../measure/restore.ts';
import { sayPages } from '../pages.ts';
import { loadRecipe } from '../recipes.ts';
import { workflowStatus } from '../workflow-status.ts';
import type { Session } from '../session.ts';
import { createRun } from '../start-run.ts';
import type { Recipe } from '../../shared/config/recipe.ts';

export interface TeacherRequest {
  setId: string;
  model: string;
  url: string | undefined;
  questions?: string;
  heldOut?: string;
  set?: readonly string[];
}

export interface PreparedTeacher {
  runId: string;
  recipe: Recipe;
  datasets: RunDatasets;
}

export interface CollectRequest {
  designs: number;
  limit?: number;
  calls?: number;
  tokens?: number;
}

const questionsPerBatch = 8;

/** Needs no server. Throws `InvalidInput` or `InvalidConfig`. */
export async function prepareTeacher(request: TeacherRequest): Promise<PreparedTeacher> {
  const { setId, model, url, questions, heldOut, set = [] } = request;
  if (url === undefined) {
    throw new DomainError(
      'InvalidInput',
      'no endpoint is given: give --url, or set METAAGENTX_ENDPOINT_URL to its base URL, e.g. https://host/v1',
    );
  }
  const changes = [`policy.init.url=${JSON.stringify(url)}`, `policy.init.model=${JSON.stringify(model)}`, ...set];
  const recipe = withQuestionFiles(await loadRecipe({ recipe: 'teacher', set: changes }), questions, heldOut);
  if (recipe.policy.init.type !== 'endpoint') {
    throw new DomainError('InvalidInput', 'policy.init of a teacher must be an endpoint', {});
  }
  return { runId: checkRunId(setId), recipe, datasets: await loadDatasets(recipe) };
}

/** Throws `InvalidInput` where the name belongs to another run. */
export async function storeTeacher({ store, config }: Session, prepared: PreparedTeacher): Promise<void> {
  const { runId, recipe, datasets } = prepared;
  const { inserted } = await createRun(store, { ...prepared, config });
  if (inserted) return;
  const standing = await store.runs.findOne({ _id: runId });
  const isSame =
    JSON.stringify(standing?.recipe) === JSON.stringify(recipe) &&
    standing?.datasets.train.digest === datasets.train.digest;
  if (isSame) return;
  throw new DomainError(
    'InvalidInput',
    `'${runId}' is in the store with other settings or questions: choose another name, or see it with: npx metaagentx inspect ${runId}`,
    { runId },
  );
}

/** Examples that are lost are made again from the stored answers. */
async function isWholeSet(cli: Cli, { store }: Session, { _id, examples }: SftSetDocument): Promise<boolean> {
  const [there, wanted] = [await countExamples(store, _id), examples.designer + examples.executor];
  if (there === wanted) return true;
  cli.log(`set ${_id}: the store had lost ${wanted - there} of ${wanted} examples: making it again`);
  await store.sftSets.deleteOne({ _id });
  return false;
}

export async function collect(
  cli: Cli,
  session: Session,
  { runId, datasets }: PreparedTeacher,
  request: CollectRequest,
): Promise<SftSetDocument> {
  const { store, client, config } = session;
  const standing = await store.sftSets.findOne({ _id: runId });
  if (standing !== null && (await isWholeSet(cli, session, standing))) {
    cli.log(`set ${runId} is in the store already; to collect with other options choose another name`);
    return standing;
  }
  const workflowId = collectionId(runId);
  await restoreAnswers(cli, session, workflowId);
  const count = datasets.train.questions.length;
  const plan: CollectionPlan = {
    runId,
    questions: Math.min(count, request.limit ?? count),
    designs: request.designs,
    calls: request.calls ?? null,
    tokens: request.tokens ?? null,
    questionsPerBatch,
    revision: revisionOf(await readRun(store, runId)),
    queues: config.queues,
    activities: config.activities,
  };
  if ((await workflowStatus(client, workflowId)) === 'RUNNING') {
    cli.log(`set ${runId} is being collected: waiting for it, with the options that it was started with`);
  } else {
    await client.workflow.start<typeof coldStartCollection>('coldStartCollection', {
      workflowId,
      taskQueue: config.queues.control,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [plan],
      staticSummary: `${plan.questions} questions × ${plan.designs} designs from a teacher`,
      typedSearchAttributes: visible({ runId }),
    });
  }
  sayPages(cli, session, workflowId, runId);
  await awaitWorkflow(cli, session, {
    workflowId,
    title: `set ${runId}`,
    result: client.workflow.getHandle(workflowId).result(),
    advice: ['Nothing is lost. Go on by giving the same command again.'],
  });
  return readSet(store, runId);
}
