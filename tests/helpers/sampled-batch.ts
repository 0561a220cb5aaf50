/**
 * A batch of one design that an engine in this process has sampled and a test has credited: what an update needs, without
 * workers, workflow or verifiers.
 */
import { PolicyResidence } from '../../activities/policy/residence.ts';
import type { RolloutDeps } from '../../activities/rollout/context.ts';
import { executeDesign } from '../../activities/rollout/execute-design.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import type { Store } from '../../activities/store/connect.ts';
import { insertAllOnce } from '../../activities/store/write.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import type { UpdatePolicyInput } from '../../shared/domain/tasks.ts';
import { scriptedRun } from './scripted-rollout.ts';

export interface SampledBatch {
  deps: RolloutDeps;
  engine: LocalEngine;
  /** The update that learns from it. */
  update: UpdatePolicyInput;
  close(): Promise<void>;
}

export const attemptOf = (name: string) => ({
  name,
  signal: new AbortController().signal,
  progress: () => undefined,
});

/** Four executions of one call each, half of them better than the rest. */
export async function sampledBatch(store: Store, runId: string, set: string[] = []): Promise<SampledBatch> {
  const run = await scriptedRun(store, runId, () => '', set);
  const engine = new LocalEngine(resolveTemporalConfig({}).engine);
  const deps = { ...run.deps, engine, policies: new PolicyResidence(store, engine) };
  const { batchId } = run;
  const { id, input } = await run.design(0, "return agent('think')");
  await executeDesign(deps, { ...input, executions: 4 }, attemptOf('sampling'));
  const owner = { runId, batchId, rolloutId: 'r', role: 'executor' as const, baseline: 0, group: 'g', groupSize: 4 };
  const credits = [1, -1, 1, -1].map((advantage, e) => ({
    _id: `${id}/e-${e}`,
    ...owner,
    reward: advantage,
    advantage,
  }));
  await insertAllOnce(store.credits, credits);
  return {
    deps,
    engine,
    update: { runId, batchId, learner: 'executor', baseVersion: 0, keep: false },
    close: async () => {
      await run.close();
      await engine.close();
    },
  };
}
