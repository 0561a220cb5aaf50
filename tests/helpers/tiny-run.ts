/** A finished run for tests that measure: a cold start and one iteration, trained in seconds on the real servers. */
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { startRun } from '../../cli/start-run.ts';
import { policyId } from '../../shared/domain/ids.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { TemporalConfig } from '../../shared/config/temporal-config.ts';

export interface TestServers {
  store: Store;
  client: Client;
  close(): Promise<void>;
}

export async function connectServers(): Promise<TestServers> {
  const { mongoUri, database, temporalAddress, namespace } = inject('stack');
  const store = await openStore({ uri: mongoUri, database });
  const connection = await Connection.connect({ address: temporalAddress });
  return {
    store,
    client: new Client({ connection, namespace }),
    close: async () => {
      await connection.close();
      await store.close();
    },
  };
}

const shortly = { heartbeatMs: 4_000 };
/** A worker that died is noticed soon: for tests that kill. */
export const soonNoticed = resolveTemporalConfig({
  activities: { control: shortly, rollout: shortly, train: shortly, sandbox: shortly },
});

/** Trains `runId`; needs workers. */
export async function trainTinyRun(
  { store, client }: TestServers,
  runId: string,
  set: string[] = [],
  { system, config = resolveTemporalConfig({}) }: { system?: string; config?: TemporalConfig } = {},
): Promise<void> {
  const recipe = await loadRecipe({
    recipe: 'smoke',
    system,
    set: ['stages.count=1', 'stages.iterationsPerStage=1', 'evaluation.limit=0', ...set],
  });
  const datasets = await loadDatasets(recipe);
  await startRun(store, client, { runId, recipe, datasets, config });
  await client.workflow.getHandle(runId).result();
}

/** A second run with the same recipe, data and weights: what it samples must be what the first samples. */
export async function copyRun({ store }: TestServers, from: string, to: string): Promise<void> {
  const run = await store.runs.findOne({ _id: from });
  await store.runs.insertOne({ ...run!, _id: to });
  for (const policy of await store.policies.find({ runId: from }).toArray()) {
    await store.policies.insertOne({ ...policy, _id: policyId(to, policy.version), runId: to });
  }
}
