/** A search for a system: its settings as documents, and its workflow, started or gone on with, until it has found. */
import { createHash } from 'node:crypto';
import { pinVersion } from '../../activities/policy/pins.ts';
import { revisionOf } from '../../activities/recipe-revision.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { insertOnce } from '../../activities/store/write.ts';
import type { TemporalConfig } from '../../shared/config/temporal-config.ts';
import { policyVersionName, searchIdOf, systemIdOfSearch } from '../../shared/domain/ids.ts';
import type { SearchPlan, SearchSettings } from '../../shared/domain/search-plan.ts';
import { evaluationBatches } from '../../shared/plan/run-plan.ts';
import { maas, picksPerQuestion } from '../../shared/systems/maas.ts';
import { rewritePromptVersion } from '../../shared/systems/rewrite-prompt.ts';
import type { Budget, SearchedSystem } from '../../shared/systems/system.ts';
import { visible } from '../../workflows/search-attributes.ts';
import type { systemSearch } from '../../workflows/system-search.ts';
import type { Cli } from '../command.ts';
import { sayPages } from '../pages.ts';
import { workflowStatus } from '../workflow-status.ts';
import type { Session } from '../session.ts';
import { awaitWorkflow } from './await-workflow.ts';
import { restoreSearch } from './restore.ts';

export const defaultSearch: SearchSettings = { rounds: 20, questions: 32, calls: null };

export type GivenSearch = { readonly [Key in keyof SearchSettings]?: SearchSettings[Key] | undefined };

/** The default settings with those that are given. */
export const searchSettings = (given: GivenSearch): SearchSettings => ({
  rounds: given.rounds ?? defaultSearch.rounds,
  questions: given.questions ?? defaultSearch.questions,
  calls: given.calls ?? defaultSearch.calls,
});

export interface SearchRequest {
  system: SearchedSystem;
  budget: Budget | null;
  settings: SearchSettings;
}

/** Stores what is searched for; equal settings are one search. */
export async function storeSearch(
  store: Store,
  config: TemporalConfig,
  run: RunDocument,
  policyVersion: number,
  { system, budget, settings: wanted }: SearchRequest,
): Promise<SearchPlan> {
  const finds = system.name === maas.name ? 'pool' : 'script';
  const dataset = run.datasets.train;
  // A question judges a candidate once.
  const settings = { ...wanted, questions: Math.min(wanted.questions, dataset.count) };
  const identity = JSON.stringify([policyVersion, dataset.digest, budget, settings, rewritePromptVersion]);
  const searchId = searchIdOf(run._id, system.name, createHash('sha256').update(identity).digest('hex'));
  await insertOnce(store.searches, {
    _id: searchId,
    runId: run._id,
    system: system.name,
    policyVersion,
    finds,
    settings,
    budget,
    promptVersion: rewritePromptVersion,
  });
  const { queues, activities } = config;
  return {
    ...settings,
    searchId,
    runId: run._id,
    finds,
    policyVersion,
    seed: run.recipe.seed,
    trainQuestions: dataset.count,
    answers: finds === 'pool' ? picksPerQuestion : 1,
    ...evaluationBatches,
    revision: revisionOf(run),
    queues,
    activities,
  };
}

/** Id of the system that was found; a search that has ended is not repeated. */
export async function search(cli: Cli, session: Session, run: RunDocument, plan: SearchPlan): Promise<string> {
  const { store, client } = session;
  const { searchId, runId, policyVersion } = plan;
  const system = systemIdOfSearch(searchId);
  await restoreSearch(cli, session, searchId);
  if ((await store.systems.findOne({ _id: system }, { projection: { _id: 1 } })) !== null) return system;
  await pinVersion(store, run, policyVersion, searchId);
  if ((await workflowStatus(client, searchId)) !== 'RUNNING') {
    await client.workflow.start<typeof systemSearch>('systemSearch', {
      workflowId: searchId,
      taskQueue: plan.queues.control,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [plan],
      staticSummary: `${plan.rounds} rounds with ${policyVersionName(policyVersion)}`,
      typedSearchAttributes: visible({ runId, policyVersion }),
    });
  }
  sayPages(cli, session, searchId, runId);
  await awaitWorkflow(cli, session, {
    workflowId: searchId,
    title: searchId,
    result: client.workflow.getHandle(searchId).result(),
    advice: ['Nothing is lost. Go on by giving the same command again.'],
  });
  return system;
}
