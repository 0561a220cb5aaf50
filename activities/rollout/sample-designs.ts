/**
 * The Designer writes M designs for one question (paper section 3.1). Each reply is judged before it costs a model call:
 * extraction, parse, static checks, dry run; a refusal is data with its reason and line. Designs that are stored already
 * are left as they are; the seed of each is its path, so a retry samples the same.
 */
import { designId, rolloutId, seedKeyOf } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Question } from '../../shared/domain/question.ts';
import type { Batch, SampleDesignsResult, Slot } from '../../shared/domain/tasks.ts';
import type { Draft } from '../store/write.ts';
import type { DesignDocument, RunDocument } from '../store/documents.ts';
import type { DesignOutcome } from '../../shared/script/outcomes.ts';
import { designerMessages } from '../../shared/script/designer-prompts.ts';
import { crashPoint } from '../crash-point.ts';
import { samplingOf, weightsOf } from './context.ts';
import type { RolloutDeps } from './context.ts';
import { givenDesign } from './given-design.ts';
import { judgeDesign } from './judge-design.ts';
import { withSpeaker } from './speaker.ts';
import type { Speaker } from './speaker.ts';
import { together } from './together.ts';

/** A design that is stored. `draft`: the document, where this attempt has just stored it. */
export interface StandingDesign {
  design: number;
  outcome: DesignOutcome;
  draft?: Draft<DesignDocument>;
}

export async function sampleDesigns(
  deps: RolloutDeps,
  input: Batch & Slot & { designs: number },
  signal: AbortSignal,
): Promise<SampleDesignsResult> {
  const standing = await withDesigns(deps, input, signal, async (design) => design);
  const valid = standing.filter(({ outcome }) => outcome === 'valid').map(({ design }) => design);
  return { valid, invalid: standing.length - valid.length };
}

/** Goes on with each design as soon as it is durable, whatever the others do; results in the order of the designs. */
export async function withDesigns<Result>(
  deps: RolloutDeps,
  input: Batch & Slot & { designs: number },
  signal: AbortSignal,
  goOn: (design: StandingDesign, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stored = await outcomesOf(deps, { rolloutId: rolloutId(input.batchId, input.slot) });
  const known = new Map(stored.map((design) => [design.design, design.outcome]));
  const all = (write: Write) =>
    together(
      signal,
      Array.from({ length: input.designs }, (_, design) => async (own: AbortSignal) => {
        const outcome = known.get(design);
        const standing =
          outcome === undefined ? await storeDesign(deps, await write(design, own)) : { design, outcome };
        return goOn(standing, own);
      }),
    );
  return known.size === input.designs ? all(nothingToWrite) : withWriter(deps, input, all);
}

type Write = (design: number, signal: AbortSignal) => Promise<Draft<DesignDocument>>;

const nothingToWrite: Write = () => Promise.reject(new Error('internal: every design is stored'));

async function storeDesign(deps: RolloutDeps, draft: Draft<DesignDocument>): Promise<StandingDesign> {
  const { _id, design, outcome } = draft;
  const isStored = await deps.designs.add(draft);
  crashPoint('designs-stored');
  if (isStored) return { design, outcome, draft };
  // Another attempt was faster: what it stored is what counts.
  const [standing] = await outcomesOf(deps, { _id });
  if (standing !== undefined) return { design, outcome: standing.outcome };
  throw new DomainError('RecordConflict', `${_id} was refused as a duplicate and is not in the store`, { id: _id });
}

/** Runs `task` with what writes the batch's designs: the Designer, or the system whose script is given. */
async function withWriter<Result>(
  deps: RolloutDeps,
  input: Batch & Slot,
  task: (write: Write) => Promise<Result>,
): Promise<Result> {
  const [run, question, { source }] = await Promise.all([
    deps.runs.run(input),
    deps.runs.question(input, input.questionIndex),
    deps.runs.system(input),
  ]);
  if (source.type !== 'designer') {
    return task(async (design) => givenDesign({ ...input, run, question, design }, source));
  }
  const use = {
    runId: input.runId,
    version: input.policyVersion,
    role: 'designer',
    recipe: run.recipe,
    weights: weightsOf(run.recipe, input.purpose),
  } as const;
  return withSpeaker(deps, use, (speaker) =>
    task((design, signal) => sampleDesign(deps, { ...input, run, question, speaker, design }, signal)),
  );
}

const outcomesOf = ({ store }: RolloutDeps, filter: { rolloutId: string } | { _id: string }) =>
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
