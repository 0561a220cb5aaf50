/** A run's overview, and one policy version of it. */
import { policyId, stageId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { readReport } from '../run-report.ts';
import { counted, duration, fixed, moment, version } from '../view/numbers.ts';
import { sparkline } from '../view/bars.ts';
import { evaluationTable } from '../view/report.ts';
import { renderFacts, renderTable } from '../view/table.ts';
import { lineageLines } from './lineage.ts';
import type { Child, InspectContext, Inspection } from './inspection.ts';

export async function inspectRun(context: InspectContext): Promise<Inspection> {
  const { store, run, paint } = context;
  const runId = run._id;
  const [report, stages, iterations, policies] = await Promise.all([
    readReport(store, runId),
    store.stages.find({ runId }).toArray(),
    store.iterations.find({ runId }).toArray(),
    store.policies.find({ runId }, { projection: { version: 1, madeBy: 1 } }).toArray(),
  ]);
  const rows = run.plan.stages.map(({ stage, learner, iterations: planned }) => {
    const own = iterations.filter((each) => each.stage === stage).sort((a, b) => a.iteration - b.iteration);
    const record = stages.find((each) => each.stage === stage) ?? null;
    const rewards = own.map(({ metrics }) => metrics.meanReward ?? 0);
    return { stage, learner, planned, done: own.length, record, rewards };
  });
  const table = renderTable(
    ['stage', 'learns', 'iterations', 'policy', 'mean reward', ''].map((title) => ({ title })),
    rows.map(({ stage, learner, planned, done, record, rewards }) => [
      String(stage),
      learner,
      `${done}/${planned}`,
      record === null ? '–' : `${version(record.policyIn)} → ${version(record.policyOut)}`,
      rewards.length === 0 ? '–' : `${fixed(rewards[0])} → ${fixed(rewards.at(-1))}`,
      sparkline(rewards, 30),
    ]),
  );
  const newest = Math.max(...policies.map((policy) => policy.version), -1);
  return {
    data: {
      run,
      stages,
      evaluations: report.evaluations,
      iterations: iterations.length,
      newestVersion: newest < 0 ? null : newest,
    },
    lines: [
      `${paint.bold(runId)}  ${run.status}`,
      ...runFacts(context),
      ...(await lineageLines(context)),
      '',
      ...table,
      '',
      ...evaluationTable(report),
    ],
    children: [
      ...rows
        .filter(({ done, record }) => done > 0 || record !== null)
        .map(({ stage, learner, done }): Child => ({
          path: stageId(runId, stage),
          label: `stage ${stage}: the ${learner} learns, ${counted(done, 'iteration')}`,
        })),
      ...report.evaluations.map(({ name, average }): Child => ({
        path: `${runId}/eval-${name}`,
        label: `avg@k ${(100 * average).toFixed(1)} %`,
      })),
      ...(newest < 0 ? [] : [{ path: `${runId}@v${newest}`, label: 'newest policy version' }]),
      ...(report.design === null ? [] : [{ path: report.design.id, label: 'a learned design that was right' }]),
    ],
  };
}

function runFacts({ run, uiUrl }: InspectContext): string[] {
  const { recipe, datasets, plan } = run;
  const { questionsPerIteration, designsPerQuestion, executionsPerDesign } = plan.rollout;
  const took =
    run.finishedAt === undefined ? '' : `, ended after ${duration(run.finishedAt.getTime() - run.createdAt.getTime())}`;
  return renderFacts([
    ['recipe', `${recipe.name}, seed ${recipe.seed}: ${recipe.description}`],
    ['started', `${moment(run.createdAt)}${took} (program ${run.codeVersion})`],
    [
      'iteration',
      `${questionsPerIteration} questions × ${designsPerQuestion} designs × ${executionsPerDesign} executions`,
    ],
    [
      'train',
      `${datasets.train.name}, ${counted(datasets.train.count, 'question')} (${datasets.train.digest.slice(0, 12)})`,
    ],
    [
      'held out',
      `${datasets.heldOut.name}, ${counted(datasets.heldOut.count, 'question')} (${datasets.heldOut.digest.slice(0, 12)})`,
    ],
    ['prompts', `${recipe.prompts.form} (--json shows them)`],
    ['failure', run.failure === undefined ? null : `${run.failure.name}: ${run.failure.message}`],
    ['UI', uiUrl(run._id)],
  ]);
}

/** `wanted` null: the newest version. Throws `CheckpointMissing` where there is no such version. */
export async function inspectPolicy(context: InspectContext, wanted: number | null): Promise<Inspection> {
  const { store, run, paint } = context;
  const runId = run._id;
  const versions = await store.policies.find({ runId }, { projection: { version: 1 } }).toArray();
  const numbers = versions.map((policy) => policy.version);
  const number = wanted ?? Math.max(...numbers, -1);
  const policy = await store.policies.findOne({ _id: policyId(runId, number) });
  if (policy === null) {
    const there = numbers.length === 0 ? 'it has none yet' : `it has v0 to v${Math.max(...numbers)}`;
    throw new DomainError('CheckpointMissing', `run '${runId}' has no policy version ${wanted ?? ''}: ${there}`, {
      runId,
      version: wanted,
    });
  }
  const evaluations = await store.evaluations.find({ runId, policyVersion: number }).toArray();
  const { decoder } = policy;
  const parts = Object.entries(policy.parts).map(
    ([part, record]) =>
      `${part}: weights ${record.weights.slice(0, 12)}${policy.pruned?.weights ? ' (pruned)' : ''}, step ${record.optimizerStep}, changed in v${record.changedIn}`,
  );
  return {
    data: { policy, evaluations: evaluations.map(({ name, metrics }) => ({ name, ...metrics })) },
    lines: [
      `${paint.bold(`${runId}@v${number}`)}  made by ${policy.madeBy}`,
      ...renderFacts([
        ['parent', policy.parent === null ? 'none: initial weights' : `v${policy.parent}`],
        ['committed', moment(policy.createdAt)],
        [
          'model',
          `${decoder.architecture}, ${decoder.numLayers} layers × ${decoder.hiddenSize}, vocabulary ${decoder.vocabSize}`,
        ],
        ['parts', parts.join('\n')],
        ['kept', policy.keep ? 'for good' : 'until retention prunes it'],
        ['metrics', metricsText(policy.metrics)],
        ...evaluations.map(
          ({ name, samples, metrics }) =>
            [`avg@${samples}`, `${(100 * (metrics.average ?? 0)).toFixed(1)} % in ${name}`] as const,
        ),
      ]),
      '',
      `measure it: npx metaagentx eval ${runId}@v${number}`,
      `use it:     npx metaagentx solve ${runId}@v${number} "your question"`,
    ],
    children: [
      ...(policy.parent === null ? [] : [{ path: `${runId}@v${policy.parent}`, label: 'the version before' }]),
      ...(policy.madeBy.startsWith(runId) ? [{ path: policy.madeBy, label: 'the iteration that made it' }] : []),
    ],
  };
}

/** `name value` pairs, null where there are none. */
export const metricsText = (metrics: Readonly<Record<string, number>>): string | null =>
  Object.keys(metrics).length === 0
    ? null
    : Object.entries(metrics)
        .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
        .join(' · ');
