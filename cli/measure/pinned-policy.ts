/** Which policy version a command is about: RUN, RUN@latest or RUN@vN, checked against the store. */
import { readRun } from '../../activities/run-context.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Store } from '../../activities/store/connect.ts';
import { parsePolicyReference, policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';

export interface PinnedPolicy {
  run: RunDocument;
  policyVersion: number;
}

/** Throws `InvalidInput`, `RunNotFound`, or `CheckpointMissing` where the version is not there or its weights are gone. */
export async function pinPolicy(store: Store, reference: string): Promise<PinnedPolicy> {
  const { runId, version } = parsePolicyReference(reference);
  const run = await readRun(store, runId);
  const versions = await store.policies
    .find({ runId }, { projection: { version: 1, pruned: 1 } })
    .sort({ version: 1 })
    .toArray();
  const usable = versions.filter(({ pruned }) => pruned?.weights !== true).map((policy) => policy.version);
  const policyVersion = version ?? usable.at(-1);
  if (policyVersion !== undefined && usable.includes(policyVersion)) return { run, policyVersion };
  const seen = versions.some((policy) => policy.version === policyVersion)
    ? `the weights of ${policyId(runId, policyVersion!)} were pruned (retention.weights of the recipe)`
    : policyVersion === undefined
      ? `run '${runId}' has no policy version yet`
      : `${policyId(runId, policyVersion)} was never committed`;
  const expected = usable.length === 0 ? '' : `; versions with weights: ${rangesOf(usable)}`;
  throw new DomainError('CheckpointMissing', `${seen}${expected}. See: npx metaagentx status ${runId}`, {
    runId,
    version,
  });
}

/** The version that the cold start ended with (the initial one without a cold start), before any iteration. */
export async function untrainedVersion(store: Store, runId: string): Promise<number> {
  const found = await store.policies
    .find({ runId, madeBy: { $regex: '^(initial$|cold-start-)' } }, { projection: { version: 1 } })
    .sort({ version: -1 })
    .limit(1)
    .toArray();
  const { policyVersion } = await pinPolicy(store, `${runId}@v${found[0]?.version ?? 0}`);
  return policyVersion;
}

/** `v4, v14-v24` */
function rangesOf(versions: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const version of versions) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === version - 1) last[1] = version;
    else ranges.push([version, version]);
  }
  return ranges.map(([from, to]) => (from === to ? `v${from}` : `v${from}-v${to}`)).join(', ');
}
