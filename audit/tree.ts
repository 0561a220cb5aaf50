/**
 * The documents of one batch, read once, in the shape of its tree: questions → designs → executions → calls. Large fields
 * are checked while they pass and not kept, so memory grows with the number of documents, not with their tokens.
 */
import { createHash } from 'node:crypto';
import { callId, designId, executionId, rolloutId, seedKeyOf } from '../shared/domain/ids.ts';
import type {
  CallDocument,
  CreditDocument,
  DesignDocument,
  ExecutionDocument,
  RunDocument,
  VerdictDocument,
} from '../activities/store/documents.ts';
import { below } from './database.ts';
import type { Database } from './database.ts';
import type { ExpectedBatch } from './expected.ts';
import type { Findings } from './report.ts';
import { soundOnes } from './sound.ts';
import { checkTrajectory } from './trajectory.ts';

export type DesignFacts = Pick<
  DesignDocument,
  | '_id'
  | 'rolloutId'
  | 'design'
  | 'question'
  | 'writtenBy'
  | 'outcome'
  | 'script'
  | 'promptTokens'
  | 'responseTokens'
  | 'createdAt'
>;
export type ExecutionFacts = Pick<
  ExecutionDocument,
  | '_id'
  | 'rolloutId'
  | 'designId'
  | 'execution'
  | 'question'
  | 'outcome'
  | 'reply'
  | 'usage'
  | 'trace'
  | 'attempt'
  | 'policyVersion'
  | 'replayedCalls'
  | 'createdAt'
>;
export type CallFacts = Pick<CallDocument, '_id' | 'call' | 'kind' | 'nodePath' | 'attempt' | 'createdAt'> & {
  promptTokens: number;
  responseTokens: number;
};

export interface Tree {
  batch: ExpectedBatch;
  designs: Map<string, DesignFacts>;
  executions: Map<string, ExecutionFacts>;
  /** By execution. */
  calls: Map<string, CallFacts[]>;
  verdicts: Map<string, VerdictDocument>;
  credits: Map<string, CreditDocument>;
  /** Of every document that was read. */
  documents: number;
  /** One line a trajectory: what must be equal in equal runs. */
  samples: string[];
}

export async function readTree(
  db: Database,
  findings: Findings,
  run: RunDocument,
  batch: ExpectedBatch,
  vocabSize: number,
): Promise<Tree> {
  const tree: Tree = {
    batch,
    designs: new Map(),
    executions: new Map(),
    calls: new Map(),
    verdicts: new Map(),
    credits: new Map(),
    documents: 0,
    samples: [],
  };
  const reader = { run, tree, findings, vocabSize };
  // By id and not by a field that may itself be broken.
  const own = below(batch.id);
  for await (const design of soundOnes(db.designs, findings, own)) takeDesign(reader, design);
  for await (const execution of soundOnes(db.executions, findings, own)) takeExecution(reader, execution);
  for await (const call of soundOnes(db.calls, findings, own)) takeCall(reader, call);
  for await (const verdict of soundOnes(db.verdicts, findings, own)) {
    tree.documents += 1;
    tree.verdicts.set(verdict._id, verdict);
  }
  for await (const credit of soundOnes(db.credits, findings, own)) {
    tree.documents += 1;
    tree.credits.set(credit._id, credit);
  }
  return tree;
}

interface Reader {
  run: RunDocument;
  tree: Tree;
  findings: Findings;
  vocabSize: number;
}

function takeDesign(reader: Reader, design: DesignDocument): void {
  const { run, tree, findings } = reader;
  const { _id, rolloutId, design: number, question, writtenBy, outcome, script } = design;
  const { promptTokens, responseTokens, createdAt } = design;
  tree.documents += 1;
  const facts = { writtenBy, outcome, script, promptTokens, responseTokens, createdAt };
  tree.designs.set(_id, { _id, rolloutId, design: number, question, ...facts });
  if (_id !== designId(rolloutId, number))
    findings.found('designs', _id, `says it is design ${number} of ${rolloutId}`);
  // A given script was sampled from nothing.
  if (writtenBy === 'system') return;
  checkSampled(reader, design, seedKeyOf(run.recipe.seed, run._id, _id));
  tree.samples.push(sampleLine(run._id, design));
}

function takeExecution({ tree, findings }: Reader, execution: ExecutionDocument): void {
  const { _id, rolloutId, designId, execution: number, question, outcome, reply, usage, trace } = execution;
  const { attempt, policyVersion, replayedCalls, createdAt } = execution;
  tree.documents += 1;
  const facts = { outcome, reply, usage, trace, attempt, policyVersion, replayedCalls, createdAt };
  tree.executions.set(_id, { _id, rolloutId, designId, execution: number, question, ...facts });
  if (_id !== executionId(designId, number)) {
    findings.found('executions', _id, `says it is execution ${number} of ${designId}`);
  }
}

function takeCall(reader: Reader, document: CallDocument): void {
  const { run, tree, findings } = reader;
  const { _id, executionId, call, kind, nodePath, attempt, createdAt, answer } = document;
  tree.documents += 1;
  if (_id !== callId(executionId, call)) findings.found('calls', _id, `says it is call ${call} of ${executionId}`);
  const own = tree.calls.get(executionId) ?? [];
  const { promptTokens, responseTokens } = answer;
  own.push({ _id, call, kind, nodePath, attempt, createdAt, promptTokens, responseTokens });
  tree.calls.set(executionId, own);
  // A prompt that did not fit was never sampled from; tools sample nothing.
  if (kind !== 'model' || answer.status === 'prompt-too-long') return;
  const sampled = checkSampled(reader, document, `${seedKeyOf(run.recipe.seed, run._id, executionId)}/`);
  if (sampled && document.responseTokens !== responseTokens) {
    findings.found(
      'trajectories',
      _id,
      `sampled ${document.responseTokens} tokens and told the script ${responseTokens}`,
    );
  }
  tree.samples.push(sampleLine(run._id, document));
}

/** True where the document's own counts can be compared. */
function checkSampled(
  { run, tree, findings, vocabSize }: Reader,
  document: DesignDocument | CallDocument,
  seedPrefix: string,
): boolean {
  if (run.recipe.policy.init.type === 'endpoint') {
    findings.note('an endpoint gives text and no tokens: trajectories were not looked at');
    return true;
  }
  const { policyVersion } = tree.batch;
  return checkTrajectory(findings, document._id, document, { policyVersion, vocabSize, seedPrefix });
}

function sampleLine(runId: string, { _id, tokenIds, logProbs }: Partial<CallDocument> & { _id: string }): string {
  const hash = createHash('sha256');
  for (const binary of [tokenIds, logProbs]) if (binary) hash.update(binary.buffer.subarray(0, binary.length()));
  return `${_id.slice(runId.length)} ${hash.digest('hex')}`;
}

/** Rollout ids of a batch, by slot. */
export const rolloutsOf = ({ id, questions }: ExpectedBatch): string[] =>
  Array.from({ length: questions }, (_, slot) => rolloutId(id, slot));
