/** A question with its designs, and one design with its executions. */
import { checkScript } from '../../shared/script/check.ts';
import { renderStructureText } from '../../shared/script/render.ts';
import { designerMessages } from '../../shared/script/designer-prompts.ts';
import type { CreditDocument, DesignDocument, VerdictDocument } from '../../activities/store/documents.ts';
import type { Question } from '../../shared/domain/question.ts';
import { DomainError } from '../../shared/errors.ts';
import { fixed, signed } from '../view/numbers.ts';
import { renderFacts, renderTable } from '../view/table.ts';
import type { InspectContext, Inspection } from './inspection.ts';
import { meanOf, quoted, withoutPacked } from './inspection.ts';
import { readQuestion } from './questions-of.ts';
import type { Target } from './target.ts';

type At<Level extends Target['level']> = Extract<Target, { level: Level }>;

function goldText(verifier: Question['verifier']): string {
  if (verifier.type === 'none') return 'unknown';
  return verifier.type === 'math' ? verifier.gold : `code, ${verifier.tests.length} tests`;
}

export const questionFacts = (question: Question | null, context: InspectContext): string[] =>
  question === null
    ? ['  (the question is not in the store)']
    : [
        ...quoted(question.text, context, '  '),
        ...renderFacts([
          ['  gold', goldText(question.verifier)],
          [
            '  kind',
            question.kind === null
              ? null
              : `${question.kind}${question.difficulty === null ? '' : `, difficulty ${question.difficulty}`}`,
          ],
        ]),
      ];

/** Throws `NotFound` where nothing was sampled for the slot. */
export async function inspectQuestion(context: InspectContext, target: At<'question'>): Promise<Inspection> {
  const { store, paint, uiUrl } = context;
  const rolloutId = target.rollout;
  const [designs, executions, verdicts, credits] = await Promise.all([
    store.designs.find({ rolloutId }, { projection: withoutPacked }).toArray(),
    store.executions.find({ rolloutId }, { projection: { designId: 1, execution: 1, outcome: 1 } }).toArray(),
    store.verdicts.find({ rolloutId }).toArray(),
    store.credits.find({ rolloutId }).toArray(),
  ]);
  if (designs.length === 0) {
    throw new DomainError(
      'NotFound',
      `no design is stored under '${rolloutId}'; see: npx metaagentx inspect ${target.batchId}`,
      { rolloutId },
    );
  }
  const question = await readQuestion(context, target, designs[0]!.question);
  const rewardOf = new Map(verdicts.map(({ _id, reward }) => [_id, reward]));
  const rows = designs
    .sort((a, b) => a.design - b.design)
    .map((design) => {
      const own = executions
        .filter(({ designId }) => designId === design._id)
        .sort((a, b) => a.execution - b.execution);
      const rewards = own.map(({ _id }) => rewardOf.get(_id) ?? null);
      const credit = credits.find(({ _id }) => _id === design._id) ?? null;
      return { design, rewards, credit, meanReward: meanOf(rewards.filter((reward) => reward !== null)) };
    });
  return {
    data: { id: rolloutId, question, designs: rows.map(({ design, ...rest }) => ({ ...design, ...rest })) },
    lines: [
      `${paint.bold(rolloutId)}`,
      ...questionFacts(question, context),
      ...renderFacts([['  UI', uiUrl(rolloutId)]]),
      '',
      ...renderTable(
        [
          { title: 'd', align: 'right' },
          { title: 'outcome' },
          { title: 'pattern' },
          ...['agents', 'tokens', 'reward', 'advantage'].map((title) => ({ title, align: 'right' as const })),
          { title: 'executions' },
        ],
        rows.map(({ design, rewards, credit, meanReward }) => [
          String(design.design),
          design.outcome,
          design.structure?.pattern ?? '–',
          String(design.structure?.agents ?? '–'),
          String(design.responseTokens),
          fixed(credit?.reward ?? meanReward),
          signed(credit?.advantage),
          rewards.map((reward) => fixed(reward, 2)).join(' '),
        ]),
      ),
    ],
    children: rows.map(({ design, credit, meanReward }) => ({
      path: design._id,
      label: design.outcome === 'valid' ? `reward ${fixed(credit?.reward ?? meanReward)}` : design.outcome,
    })),
  };
}

/** Throws `NotFound` where there is no such design. */
export async function inspectDesign(context: InspectContext, target: At<'design'>): Promise<Inspection> {
  const { store, paint, run } = context;
  const designId = target.design;
  const [design, executions, credit] = await Promise.all([
    store.designs.findOne({ _id: designId }, { projection: withoutPacked }),
    store.executions.find({ designId }).toArray(),
    store.credits.findOne({ _id: designId }),
  ]);
  if (design === null) {
    throw new DomainError(
      'NotFound',
      `there is no design '${designId}'; see: npx metaagentx inspect ${target.rollout}`,
      { designId },
    );
  }
  const ids = executions.map(({ _id }) => _id);
  const [question, verdicts, credits] = await Promise.all([
    readQuestion(context, target, design.question),
    store.verdicts.find({ _id: { $in: ids } }).toArray(),
    store.credits.find({ _id: { $in: ids } }).toArray(),
  ]);
  const byId = <T extends { _id: string }>(list: T[], id: string) => list.find(({ _id }) => _id === id) ?? null;
  const rows = executions
    .sort((a, b) => a.execution - b.execution)
    .map((execution) => ({ execution, verdict: byId(verdicts, execution._id), credit: byId(credits, execution._id) }));
  const isGiven = design.writtenBy === 'system';
  const { form } = run.recipe.prompts;
  const prompt = question === null || isGiven ? null : designerMessages(question.text, form, run.recipe.designs.tools);
  return {
    data: {
      design,
      question,
      prompt,
      credit,
      executions: rows.map(({ execution, ...rest }) => ({ ...execution, ...rest })),
    },
    lines: [
      `${paint.bold(designId)}  ${design.outcome}`,
      ...questionFacts(question, context),
      '',
      ...scriptLines(context, design.script, design.reply),
      ...(design.problem === null ? [] : [paint.red(`  ${placeOf(design.problem)}${design.problem.message}`)]),
      '',
      ...renderFacts([
        ...(isGiven ? [givenFact] : sampledFacts(design)),
        ['credit', creditText(credit, meanOf(verdicts.map(({ reward }) => reward)))],
      ]),
      ...(rows.length === 0 ? [] : ['', ...executionTable(rows)]),
    ],
    children: rows.map(({ execution, verdict }) => ({
      path: execution._id,
      label: `${execution.outcome}, reward ${fixed(verdict?.reward)}`,
    })),
  };
}

/** Of a design that no model wrote. */
export const givenFact = ['given', 'as the script of a system: no model was asked for it'] as const;

const sampledFacts = ({
  policyVersion,
  part,
  responseTokens,
  promptTokens,
  finishReason,
  sampling,
}: Omit<DesignDocument, keyof typeof withoutPacked>) =>
  [
    [
      'sampled',
      `by v${policyVersion} (${part}), ${responseTokens} tokens after a prompt of ${promptTokens}, ended by ${finishReason}`,
    ],
    ['settings', `temperature ${sampling.temperature}, top-p ${sampling.topP}, top-k ${sampling.topK}`],
  ] as const;

type ExecutionRow = {
  execution: {
    execution: number;
    outcome: string;
    reply: { answer: string | null; text: string } | null;
    usage: { calls: number; responseTokens: number };
  };
  verdict: VerdictDocument | null;
  credit: CreditDocument | null;
};

const executionTable = (rows: readonly ExecutionRow[]) =>
  renderTable(
    [
      { title: 'e', align: 'right' },
      { title: 'outcome' },
      { title: 'answer' },
      { title: 'correct' },
      ...['reward', 'advantage', 'calls', 'tokens'].map((title) => ({ title, align: 'right' as const })),
    ],
    rows.map(({ execution, verdict, credit }) => [
      String(execution.execution),
      execution.outcome,
      execution.reply?.answer ?? '–',
      verdict?.verdict == null ? '–' : verdict.verdict.correct ? 'yes' : 'no',
      fixed(verdict?.reward),
      signed(credit?.advantage),
      String(execution.usage.calls),
      String(execution.usage.responseTokens),
    ]),
  );

function scriptLines(context: InspectContext, script: string | null, reply: string): string[] {
  const { paint } = context;
  if (script === null) return [paint.bold('reply (it holds no script)'), ...quoted(reply, context)];
  const { structure } = checkScript(script);
  return [
    paint.bold('script'),
    ...quoted(script, context),
    ...(structure === null || structure.nodes.length === 0
      ? []
      : [paint.bold('structure'), ...quoted(renderStructureText(structure), context)]),
  ];
}

const placeOf = ({ line, column }: { line: number | null; column: number | null }) =>
  line === null ? '' : `line ${line}${column === null ? '' : `:${column}`}: `;

/** Reward, baseline and advantage; before the credit, the reward alone. */
export const creditText = (credit: CreditDocument | null, reward: number | null): string =>
  credit === null
    ? `reward ${fixed(reward)} (no advantage: not a training batch, or not credited yet)`
    : `reward ${fixed(credit.reward)}, baseline ${fixed(credit.baseline)}, advantage ${signed(credit.advantage)} in a group of ${credit.groupSize} (${credit.group})`;
