/**
 * The chain of policy versions: numbered without a gap from 0, each made from the one before by what the plan says, a part
 * that did not learn unchanged. Returns the blobs that the versions need.
 */
import { iterationId, policyId } from '../shared/domain/ids.ts';
import type { PolicyDocument, PolicyPartRecord, RunDocument } from '../activities/store/documents.ts';
import type { Expected } from './expected.ts';
import type { Findings } from './report.ts';

export interface NeededBlob {
  digest: string;
  kind: 'weights' | 'optimizer' | 'tokenizer' | 'file';
  /** The version that needs it. */
  id: string;
}

export function checkVersions(
  findings: Findings,
  run: RunDocument,
  expected: Expected,
  policies: readonly PolicyDocument[],
  committed: number,
): NeededBlob[] {
  const byVersion = new Map(policies.map((policy) => [policy.version, policy]));
  const newest = Math.max(-1, ...byVersion.keys());
  // The newest version may be committed before its iteration is recorded.
  if (newest >= 0 && newest < committed) {
    findings.found('versions', policyId(run._id, committed), 'is missing: a record says that it was committed');
  }
  const needed: NeededBlob[] = [];
  for (let version = 0; version <= newest; version++) {
    const policy = byVersion.get(version);
    const id = policyId(run._id, version);
    findings.saw('versions');
    if (policy === undefined) {
      findings.found('versions', id, 'is missing');
      continue;
    }
    checkVersion(findings, run, expected, policy, byVersion.get(version - 1));
    needed.push(...blobsOf(policy));
  }
  if (run.status === 'finished') {
    const last = expected.versions.length - 1;
    findings.holds(newest === last, 'versions', run._id, () => `ends with v${newest}: the plan ends with v${last}`);
  }
  return needed;
}

function checkVersion(
  findings: Findings,
  run: RunDocument,
  { versions }: Expected,
  policy: PolicyDocument,
  parent: PolicyDocument | undefined,
): void {
  const say = (problem: string) => findings.found('versions', policy._id, problem);
  const { version } = policy;
  const id = policyId(run._id, version);
  if (policy._id !== id) say(`says it is ${id}`);
  const expectedParent = version === 0 ? null : version - 1;
  if (policy.parent !== expectedParent) say(`has parent v${policy.parent}: expected v${expectedParent}`);
  const plan = versions[version];
  if (plan === undefined) return say('has no place in the plan');
  if (policy.madeBy !== plan.madeBy && !policy.madeBy.startsWith('fork of ')) {
    say(`was made by ${policy.madeBy}: expected ${plan.madeBy}`);
  }
  const layout = run.recipe.policy.layout === 'shared' ? ['shared'] : ['designer', 'executor'];
  if (Object.keys(policy.parts).sort().join() !== layout.join()) {
    say(`has the parts ${Object.keys(policy.parts).join()}: expected ${layout.join()}`);
  }
  for (const [name, part] of Object.entries(policy.parts)) {
    const before = parent?.parts[name as keyof PolicyDocument['parts']];
    if (version > 0 && before !== undefined) checkPart(say, policy, name, part, before, plan.learner);
  }
}

function checkPart(
  say: (problem: string) => void,
  { version, metrics, madeBy }: PolicyDocument,
  name: string,
  part: PolicyPartRecord,
  before: PolicyPartRecord,
  learner: string | null,
): void {
  if (part.changedIn !== version) {
    if (part.changedIn !== before.changedIn || part.weights !== before.weights || part.optimizer !== before.optimizer) {
      say(`says '${name}' is that of v${part.changedIn} and has other blobs than v${version - 1}`);
    }
    return;
  }
  if (part.base !== before.base) say(`has '${name}' on another base than v${version - 1}`);
  if (name !== 'shared' && learner !== null && learner !== 'both' && learner !== name) {
    say(`changed '${name}' while the ${learner} learned`);
  }
  const isUpdate = madeBy.includes('/iter-');
  if (isUpdate && name === 'shared' && metrics.steps !== undefined) {
    const expected = before.optimizerStep + metrics.steps;
    if (part.optimizerStep !== expected) say(`has taken ${part.optimizerStep} optimizer steps: expected ${expected}`);
  }
}

function blobsOf({ _id: id, parts, tokenizer, folder, pruned }: PolicyDocument): NeededBlob[] {
  const needed: NeededBlob[] = [{ digest: tokenizer, kind: 'tokenizer', id }];
  for (const { digest } of folder?.files ?? []) needed.push({ digest, kind: 'file', id });
  for (const { weights, base, optimizer } of Object.values(parts)) {
    if (base !== undefined) needed.push({ digest: base, kind: 'weights', id });
    if (pruned?.weights !== true) needed.push({ digest: weights, kind: 'weights', id });
    if (pruned?.optimizer !== true && optimizer !== null) needed.push({ digest: optimizer, kind: 'optimizer', id });
  }
  return needed;
}

/** Versions that records say are committed. */
export const committedVersion = (run: RunDocument, expected: Expected, recorded: ReadonlySet<string>): number =>
  expected.iterations.reduce(
    (newest, { stage, iteration, policyVersion }) =>
      recorded.has(iterationId(run._id, stage, iteration)) ? Math.max(newest, policyVersion + 1) : newest,
    -1,
  );
