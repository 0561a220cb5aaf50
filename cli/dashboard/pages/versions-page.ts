/** A run's policy versions in their lineage, and one version of it. */
import type { PolicyDocument } from '../../../activities/store/documents.ts';
import type { Store } from '../../../activities/store/connect.ts';
import { policyId, policyVersionName } from '../../../shared/domain/ids.ts';
import { DomainError } from '../../../shared/errors.ts';
import { moment, percent } from '../../view/numbers.ts';
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';
import type { RunData } from '../read/run-data.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { facts, table } from './parts.ts';
import { evaluationTable, pageLink } from './run-tables.ts';

const weightsOf = (policy: PolicyDocument): string =>
  policy.pruned?.weights ? 'pruned' : policy.keep ? 'kept for good' : 'stored';

export async function versionsPage(store: Store, { run, evaluations }: RunData): Promise<Page> {
  const runId = run._id;
  const policies = (await store.policies.find({ runId }).toArray()).sort((a, b) => b.version - a.version);
  const columns = ['version', 'parent', 'made by', 'changed', 'avg@k', 'step', 'weights', 'committed'];
  return {
    title: `${runId} versions`,
    path: `${runId}/versions`,
    ...(run.status === 'running' ? { live: runId } : {}),
    body: html`<h1>Policy versions of ${runId}</h1>
<p class="note">A version is whole or absent. Each has one parent; parts that no version between changed share their weights.</p>
${table(
  'policy versions',
  columns.map((title) => ({ title })),
  policies.map((policy) => {
    const own = evaluations.filter(({ policyVersion }) => policyVersion === policy.version);
    return [
      html`<a href="${pageHref(policyId(runId, policy.version))}">${policyVersionName(policy.version)}</a>`,
      policy.parent === null ? '–' : `v${policy.parent}`,
      maker(policy),
      changedParts(policy),
      own.map(({ metrics }) => percent(metrics.average)).join(', '),
      Object.values(policy.parts)
        .map(({ optimizerStep }) => optimizerStep)
        .join(', '),
      weightsOf(policy),
      moment(policy.createdAt),
    ];
  }),
)}`,
  };
}

const maker = ({ madeBy, runId }: PolicyDocument): Part =>
  madeBy.startsWith(`${runId}/`) ? html`<a href="${pageHref(madeBy)}">${madeBy.slice(runId.length + 1)}</a>` : madeBy;

const changedParts = ({ parts, version }: PolicyDocument) => {
  const changed = Object.entries(parts).filter(([, { changedIn }]) => changedIn === version);
  return changed.length === 0 ? 'nothing' : changed.map(([part]) => part).join(', ');
};

/** Throws `CheckpointMissing` where the run has no such version; null means the newest. */
export async function versionPage(store: Store, data: RunData, wanted: number | null): Promise<Page> {
  const runId = data.run._id;
  const found = await store.policies.find({ runId }, { projection: { version: 1 } }).toArray();
  const newest = Math.max(-1, ...found.map(({ version }) => version));
  const version = wanted ?? newest;
  const policy = await store.policies.findOne({ _id: policyId(runId, version) });
  if (policy === null) {
    throw new DomainError(
      'CheckpointMissing',
      `run '${runId}' has no policy version ${version}; it has v0 to v${newest}`,
      {
        runId,
        version,
      },
    );
  }
  const beside = (number: number) => (number < 0 || number > newest ? null : pageHref(policyId(runId, number)));
  return {
    title: policyId(runId, version),
    path: policyId(runId, version),
    previous: beside(version - 1),
    next: beside(version + 1),
    body: html`<h1>${policyVersionName(version)} of ${runId}</h1>${versionFacts(policy)}
<section id="evaluations"><h2>Evaluations</h2>${evaluationTable(
      data.evaluations.filter(({ policyVersion }) => policyVersion === version),
      pageLink,
    )}</section>
<p class="note">Measure it: <code>npx metaagentx eval ${runId}@v${version}</code> · use it: <code>npx metaagentx solve ${runId}@v${version} "your question"</code></p>`,
  };
}

function versionFacts(policy: PolicyDocument): Html {
  const { decoder, parent, runId, metrics, parts, tokenizer, createdAt } = policy;
  return facts([
    [
      'parent',
      parent === null
        ? 'none: initial weights'
        : html`<a href="${pageHref(policyId(runId, parent))}">${policyVersionName(parent)}</a>`,
    ],
    ['made by', maker(policy)],
    ['committed', moment(createdAt)],
    ['weights', weightsOf(policy)],
    [
      'model',
      `${decoder.architecture}, ${decoder.numLayers} layers × ${decoder.hiddenSize}, vocabulary ${decoder.vocabSize}`,
    ],
    ...Object.entries(parts).map(
      ([part, { weights, changedIn, optimizerStep }]) =>
        [part, html`<code>${weights}</code>, changed in v${changedIn}, optimizer step ${optimizerStep}`] as const,
    ),
    ['tokenizer', html`<code>${tokenizer}</code>`],
    ...Object.entries(metrics).map(([name, value]) => [name, String(Number(value.toPrecision(5)))] as const),
  ]);
}
