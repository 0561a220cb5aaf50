/** A design that no model wrote: the script of a system under comparison. Its trajectory is empty. */
import { designId, rolloutId, seedKeyOf } from '../../shared/domain/ids.ts';
import type { Question } from '../../shared/domain/question.ts';
import type { Batch, Slot } from '../../shared/domain/tasks.ts';
import { checkScript } from '../../shared/script/check.ts';
import { scriptFor } from '../../shared/systems/source.ts';
import type { DesignSource } from '../../shared/systems/source.ts';
import { pack } from '../store/packed.ts';
import type { DesignDocument, RunDocument } from '../store/documents.ts';
import type { Draft } from '../store/write.ts';
import { samplingOf } from './context.ts';
import { summaryOf } from './judge-design.ts';

export interface GivenDesignRequest extends Batch, Slot {
  run: RunDocument;
  question: Question;
  design: number;
}

const nothing = () => pack(new Int32Array(0));

export function givenDesign(
  request: GivenDesignRequest,
  source: Exclude<DesignSource, { type: 'designer' }>,
): Draft<DesignDocument> {
  const { run, question, design, runId, batchId, policyVersion } = request;
  const rollout = rolloutId(batchId, request.slot);
  const id = designId(rollout, design);
  const script = scriptFor(source, question.text, seedKeyOf(run.recipe.seed, runId, id));
  const { problems, structure } = checkScript(script, { limits: run.recipe.limits, tools: run.recipe.designs.tools });
  const [problem] = problems;
  return {
    _id: id,
    runId,
    batchId,
    rolloutId: rollout,
    design,
    question: question.id,
    writtenBy: 'system',
    reply: script,
    script,
    outcome: problem?.outcome ?? 'valid',
    problem: problem ?? null,
    structure: structure === null ? null : summaryOf(structure),
    policyVersion,
    part: 'shared',
    seedKey: '',
    sampling: samplingOf(run.recipe, request.purpose, 'designer'),
    promptIds: nothing(),
    tokenIds: nothing(),
    logProbs: nothing(),
    finishReason: 'stop',
    promptTokens: 0,
    responseTokens: 0,
  };
}
