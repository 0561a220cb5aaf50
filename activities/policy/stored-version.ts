/** A policy version that somebody named: `RUN@vN`, `RUN@latest`, or an imported policy's name. Looked up by its records alone. */
import { parsePolicyReference, policyId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { PolicyDocument } from '../store/documents.ts';
import type { Store } from '../store/connect.ts';

/** Throws `InvalidInput` for a text of another form, `CheckpointMissing` where the version is not there or its weights are gone. */
export async function storedVersion(store: Store, reference: string): Promise<PolicyDocument> {
  const { runId, version } = parsePolicyReference(reference);
  const versions = await store.policies
    .find({ runId }, { projection: { version: 1, pruned: 1 } })
    .sort({ version: 1 })
    .toArray();
  const usable = versions.filter(({ pruned }) => pruned?.weights !== true).map((policy) => policy.version);
  const chosen = version ?? usable.at(-1);
  if (chosen !== undefined && usable.includes(chosen)) {
    const found = await store.policies.findOne({ _id: policyId(runId, chosen) });
    if (found !== null) return found;
  }
  const seen = versions.some((policy) => policy.version === chosen)
    ? `the weights of ${policyId(runId, chosen!)} were pruned (retention.weights of the recipe)`
    : chosen === undefined
      ? `'${runId}' has no policy version`
      : `${policyId(runId, chosen)} was never committed`;
  const expected = usable.length === 0 ? '' : `; versions with weights: ${rangesOf(usable)}`;
  throw new DomainError('CheckpointMissing', `${seen}${expected}. See: npx metaagentx policy list`, { runId, version });
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
