/**
 * The Designer writes M designs for one question (paper section 3.1). Each reply is judged before it costs a model call:
 * extraction, parse, static checks, dry run; a refusal is data with its reason and line. Designs that are stored already
 * are left as they are; the seed of each is its path, so a retry samples the same.
 */
import { designId, rolloutId, seedKeyOf } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Question } from '../../shared/domain/question.ts';
import type { Batch, SampleDesignsResult, Slot } from '../../shared/domain/tasks.ts';
import { insertAllOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';
import type { DesignDocument, RunDocument } from '../store/documents.ts';
import { designerMessages } from '../../shared/script/designer-prompts.ts';
import { crashPoint } from '../crash-point.ts';
import { samplingOf, weightsOf } from './context.ts';
import type { RolloutDeps } from './context.ts';
import { givenDesign } from './given-design.ts';
import { judgeDesign } from './judge-design.ts';
import { withSpeaker } from './speaker.ts';
import type { Speaker } from './speaker.ts';
import { together } from './together.ts';

export async function sampleDesigns(
  deps: RolloutDeps,
  input: Batch & Slot & { designs: number },
  signal: AbortSignal,
): Promise<SampleDesignsResult> {
  const run = await deps.runs.run(input);
  const rollout = rolloutId(input.batchId, input.slot);
  const stored = await outcomesOf(deps, { rolloutId: rollout });
  const known = new Map(stored.map((design) => [design.design, design.outcome]));
  const missing = Array.from({ length: input.designs }, (_, design) => design).filter((design) => !known.has(design));
  if (missing.length > 0) {
    const question = await deps.runs.question(input, input.questionIndex);
    const drafts = await draftsOf(deps, { ...input, run, question }, missing, signal);
    for (const draft of drafts) known.set(draft.design, draft.outcome);
    const standing = await insertAllOnce(deps.store.designs, drafts);
    crashPoint('designs-stored');
    // Another attempt was faster: what it stored is what counts.
    const others = standing.length === 0 ? [] : await outcomesOf(deps, { _id: { $in: standing } });
    for (const { design, outcome } of others) known.set(design, outcome);
  }
  const valid = [...known].filter(([, outcome]) => outcome === 'valid').map(([design]) => design);
  return { valid: valid.sort((a, b) => a - b), invalid: known.size - valid.length };
}

async function draftsOf(
  deps: RolloutDeps,
  input: Omit<DesignRequest, 'speaker' | 'design'>,
  missing: readonly number[],
  signal: AbortSignal,
): Promise<Draft<DesignDocument>[]> {
  const { run } = input;
  const { source } = await deps.runs.system(input);
  if (source.type !== 'designer') {
    return missing.map((design) => givenDesign({ ...input, design }, source));
  }
  const use = {
    runId: input.runId,
    version: input.policyVersion,
    role: 'designer',
    recipe: run.recipe,
    weights: weightsOf(run.recipe, input.purpose),
  } as const;
  return withSpeaker(deps, use, (speaker) =>
    together(
      signal,
      missing.map((design) => (own) => sampleDesign(deps, { ...input, speaker, design }, own)),
    ),
  );
}

const outcomesOf = ({ store }: RolloutDeps, filter: { rolloutId: string } | { _id: { $in: string[] } }) =>
  store.designs.find(filter, { projection: { design: 1, outcome: 1 } }).toArray();

interface DesignRequest extends Batch, Slot {
  run: RunDocument;
  question: Question;
  speaker: Speaker;
  design: number;
}

async function sampleDesign(
  deps: RolloutDeps,
  request: DesignRequest,
  signal: AbortSignal,
): Promise<Draft<DesignDocument>> {
  const { run, question, speaker, design } = request;
  const { recipe } = run;
  const rollout = rolloutId(request.batchId, request.slot);
  const id = designId(rollout, design);
  const sampling = samplingOf(recipe, request.purpose, 'designer');
  const messages = designerMessages(question.text, recipe.prompts.form, recipe.designs.tools);
  const seedKey = seedKeyOf(recipe.seed, request.runId, id);
  const { text: reply, promptTokens, trajectory } = await speaker.say({ messages, sampling, seedKey }, signal);
  if (trajectory === null) {
    throw new DomainError(
      'InvalidInput',
      `the Designer's prompt of ${promptTokens === 0 ? 'this question' : `${promptTokens} tokens`} leaves no room for a reply of ${sampling.maxTokens} tokens: leave the question out, or lower sampling.designer.maxTokens`,
      { id },
    );
  }
  const judged = await judgeDesign(deps.scripts, { reply, question: question.text, recipe, signal });
  return {
    _id: id,
    runId: request.runId,
    batchId: request.batchId,
    rolloutId: rollout,
    design,
    question: question.id,
    writtenBy: 'designer',
    reply,
    ...judged,
    policyVersion: request.policyVersion,
    ...trajectory,
  };
}
