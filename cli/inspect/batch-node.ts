/** A stage, and a batch of questions: an iteration, an evaluation, or a solved question. */
import { iterationId, policyVersionName, stageId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { sparkline } from '../view/bars.ts';
import { clip, counted, fixed, moment, percent, version } from '../view/numbers.ts';
import { renderFacts, renderTable } from '../view/table.ts';
import type { InspectContext, Inspection } from './inspection.ts';
import { meanOf } from './inspection.ts';
import { metricsText } from './run-node.ts';
import type { BatchTarget } from './target.ts';
import { readTexts } from './questions-of.ts';

/** Throws `NotFound` where the plan has no such stage. */
export async function inspectStage({ store, run, paint, uiUrl }: InspectContext, stage: number): Promise<Inspection> {
  const runId = run._id;
  const planned = run.plan.stages.find((each) => each.stage === stage);
  if (planned === undefined) {
    throw new DomainError('NotFound', `run '${runId}' has stages 1 to ${run.plan.stages.length}, not ${stage}`, {
      runId,
      stage,
    });
  }
  const [record, found] = await Promise.all([
    store.stages.findOne({ _id: stageId(runId, stage) }),
    store.iterations.find({ runId, stage }).toArray(),
  ]);
  const iterations = found.sort((a, b) => a.iteration - b.iteration);
  const rewards = iterations.map(({ metrics }) => metrics.meanReward ?? 0);
  return {
    data: { planned, stage: record, iterations },
    lines: [
      `${paint.bold(stageId(runId, stage))}  the ${planned.learner} learns`,
      ...renderFacts([
        ['iterations', `${iterations.length}/${planned.iterations}`],
        ['policy', record === null ? 'not started' : `${version(record.policyIn)} → ${version(record.policyOut)}`],
        [
          'reward',
          rewards.length === 0 ? null : `${sparkline(rewards)}  ${fixed(rewards[0])} → ${fixed(rewards.at(-1))}`,
        ],
        ['UI', uiUrl(`${stageId(runId, stage)}-${planned.learner}`)],
      ]),
      '',
      ...renderTable(
        [
          { title: 'iteration', align: 'right' },
          { title: 'policy' },
          ...['mean reward', 'accuracy', 'valid designs', 'calls', 'loss', 'gradient'].map((title) => ({
            title,
            align: 'right' as const,
          })),
        ],
        iterations.map(({ iteration, policyIn, policyOut, metrics }) => [
          String(iteration),
          `v${policyIn} → v${policyOut}`,
          fixed(metrics.meanReward),
          percent(metrics.accuracy),
          percent(metrics.validDesigns),
          String(metrics.calls ?? '–'),
          fixed(metrics.loss, 4),
          fixed(metrics.gradNorm ?? metrics.gradientNorm, 3),
        ]),
      ),
    ],
    children: iterations
      .map(({ iteration, metrics }) => ({
        path: iterationId(runId, stage, iteration),
        label: `mean reward ${fixed(metrics.meanReward)}`,
      }))
      .reverse(),
  };
}

/** Throws `NotFound` where nothing was sampled under this id. */
export async function inspectBatch(context: InspectContext, target: BatchTarget): Promise<Inspection> {
  const { store, paint } = context;
  const { batchId } = target;
  const [designs, executions, verdicts, credits] = await Promise.all([
    store.designs
      .find({ batchId }, { projection: { rolloutId: 1, outcome: 1, question: 1, policyVersion: 1 } })
      .toArray(),
    store.executions.find({ batchId }, { projection: { rolloutId: 1, outcome: 1 } }).toArray(),
    store.verdicts.find({ batchId }, { projection: { rolloutId: 1, reward: 1, 'verdict.correct': 1 } }).toArray(),
    store.credits
      .find({ batchId, role: 'designer' }, { projection: { rolloutId: 1, reward: 1, advantage: 1 } })
      .toArray(),
  ]);
  if (designs.length === 0) {
    throw new DomainError(
      'NotFound',
      `nothing was sampled under '${batchId}'; see: npx metaagentx inspect ${target.runId}`,
      { batchId },
    );
  }
  const slots = [...new Set(designs.map((design) => design.rolloutId))].sort();
  const texts = await readTexts(context, target, [...new Set(designs.map(({ question }) => question))]);
  const rows = slots.map((rollout) => {
    const own = <T extends { rolloutId: string }>(list: T[]) => list.filter((each) => each.rolloutId === rollout);
    const sampled = own(designs);
    const judged = own(verdicts);
    const credited = own(credits);
    return {
      rollout,
      question: sampled[0]!.question,
      text: texts.get(sampled[0]!.question)?.text ?? null,
      designs: sampled.length,
      valid: sampled.filter(({ outcome }) => outcome === 'valid').length,
      executions: own(executions).length,
      correct: judged.filter(({ verdict }) => verdict?.correct === true).length,
      // Of the designs, as the iteration's own: one that may not run counts too. Before the credit, of what was judged.
      meanReward: meanOf((credited.length > 0 ? credited : judged).map(({ reward }) => reward)),
      informative: credited.filter(({ advantage }) => advantage !== 0).length,
    };
  });
  const header = await headerOf(context, target, designs[0]!.policyVersion);
  return {
    data: { batchId, ...header.data, questions: rows },
    lines: [
      `${paint.bold(batchId)}  ${header.title}`,
      ...renderFacts(header.facts),
      '',
      ...renderTable(
        [
          { title: 'q', align: 'right' },
          { title: 'question' },
          ...['valid', 'executions', 'correct', 'mean reward'].map((title) => ({ title, align: 'right' as const })),
        ],
        rows.map(({ rollout, text, question, valid, designs: all, executions: ran, correct, meanReward }) => [
          String(Number(rollout.slice(-3))),
          clip(text ?? question, Math.max(24, context.width - 50)),
          `${valid}/${all}`,
          String(ran),
          String(correct),
          fixed(meanReward),
        ]),
      ),
    ],
    children: rows.map(({ rollout, meanReward, informative }) => ({
      path: rollout,
      label: `mean reward ${fixed(meanReward)}${informative > 0 ? ', designs differ' : ''}`,
    })),
  };
}

interface Header {
  title: string;
  facts: (readonly [string, string | null])[];
  data: Record<string, unknown>;
}

async function headerOf({ store, uiUrl }: InspectContext, target: BatchTarget, sampledBy: number): Promise<Header> {
  const { batchId, batch } = target;
  if (batch.kind === 'iteration') {
    const record = await store.iterations.findOne({ _id: batchId });
    if (record === null)
      return {
        title: 'in progress',
        facts: [
          ['policy', `sampled by v${sampledBy}`],
          ['UI', uiUrl(batchId)],
        ],
        data: { iteration: null },
      };
    return {
      title: `the ${record.learner} learned: ${policyVersionName(record.policyIn)} → ${policyVersionName(record.policyOut)}`,
      facts: [
        ['committed', moment(record.createdAt)],
        ['metrics', metricsText(record.metrics)],
        ['UI', uiUrl(batchId)],
      ],
      data: { iteration: record },
    };
  }
  if (batch.kind === 'solve') return { title: `solved by v${sampledBy}`, facts: [['UI', uiUrl(batchId)]], data: {} };
  const record = await store.evaluations.findOne({ _id: batchId });
  return {
    title: record === null ? 'in progress' : `avg@${record.samples} ${percent(record.metrics.average)}`,
    facts: [
      ['policy', policyVersionName(sampledBy)],
      ['dataset', record === null ? null : `${record.dataset.name}, ${counted(record.questions, 'question')}`],
      ['metrics', record === null ? null : metricsText(record.metrics)],
      ['by kind', record === null ? null : byKind(record.perQuestion, record.samples)],
      ['UI', uiUrl(batchId)],
    ],
    data: { evaluation: record },
  };
}

/** avg@k of each kind of question, where there are several. */
function byKind(perQuestion: readonly { kind: string | null; correct: number }[], samples: number): string | null {
  const kinds = [...new Set(perQuestion.map(({ kind }) => kind ?? 'other'))].sort();
  if (kinds.length < 2) return null;
  return kinds
    .map((kind) => {
      const own = perQuestion.filter((each) => (each.kind ?? 'other') === kind);
      return `${kind} ${percent(meanOf(own.map(({ correct }) => correct / samples)))} (${own.length})`;
    })
    .join(' · ');
}
