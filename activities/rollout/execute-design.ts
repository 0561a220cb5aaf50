/**
 * One design is executed N times (paper section 3.1). Executions are async functions that share the engine's batch. Each
 * finished model call is journaled before the script sees it, so a crash costs at most the calls in flight.
 */
import { designId, executionId, rolloutId, seedKeyOf } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Question } from '../../shared/domain/question.ts';
import type { Batch, ExecuteDesignResult, Slot } from '../../shared/domain/tasks.ts';
import type { ScriptLimits } from '../../shared/script/limits.ts';
import { limitsWithin } from '../../shared/systems/source.ts';
import type { Attempt } from '../boundary.ts';
import type { JournalRecord, ScriptOutcome } from '../runtime/script/contract.ts';
import { crashPoint } from '../crash-point.ts';
import type { Store } from '../store/connect.ts';
import { count } from '../telemetry/measure.ts';
import type { DesignDocument, ExecutionDocument, RunDocument } from '../store/documents.ts';
import type { Draft } from '../store/write.ts';
import { weightsOf } from './context.ts';
import type { RolloutDeps } from './context.ts';
import { answerRules } from './answer-rules.ts';
import { afresh, noJournals, readJournals, setAside } from './journal.ts';
import type { StoredJournal } from './journal.ts';
import { hostCaller } from './host-calls.ts';
import { together } from './together.ts';
import { scriptSettings } from './script-settings.ts';
import { withSpeaker } from './speaker.ts';
import type { Speaker } from './speaker.ts';

/** `fresh`: the design as this attempt has just stored it, before which nobody can have executed it: nothing is read. */
export async function executeDesign(
  deps: RolloutDeps,
  input: Batch & Slot & { design: number; executions: number },
  { name: attempt, signal }: Pick<Attempt, 'name' | 'signal'>,
  fresh?: Draft<DesignDocument>,
): Promise<ExecuteDesignResult> {
  const id = designId(rolloutId(input.batchId, input.slot), input.design);
  const [run, design, stored] = await Promise.all([
    deps.runs.run(input),
    fresh ?? deps.store.designs.findOne({ _id: id }),
    fresh === undefined ? readFinished(deps.store, id) : [],
  ]);
  if (design?.outcome !== 'valid') {
    throw new DomainError(
      'RecordConflict',
      `${id} is not a stored valid design (${design?.outcome ?? 'no document'})`,
      { id },
    );
  }
  const finished = new Map(stored.map((execution) => [execution.execution, execution]));
  const missing = Array.from({ length: input.executions }, (_, execution) => execution).filter((n) => !finished.has(n));
  if (missing.length > 0) {
    const [question, { budget }, journal] = await Promise.all([
      deps.runs.question(input, input.questionIndex),
      deps.runs.system(input),
      fresh === undefined
        ? readJournals(
            deps.store,
            missing.map((execution) => executionId(id, execution)),
          )
        : noJournals,
    ]);
    const limits = limitsWithin(run.recipe.limits, budget, costOf(design));
    const use = {
      runId: input.runId,
      version: input.policyVersion,
      role: 'executor',
      recipe: run.recipe,
      weights: weightsOf(run.recipe, input.purpose),
    } as const;
    await withSpeaker(deps, use, (speaker) =>
      together(
        signal,
        missing.map((execution) => async (own) => {
          const request = { ...input, attempt, run, design, question, limits, journal, speaker, execution };
          finished.set(execution, await execute(deps, request, own));
        }),
      ),
    );
  }
  const executions = [...finished.values()];
  return {
    replied: executions.filter((execution) => execution.outcome === 'replied').length,
    calls: executions.reduce((sum, execution) => sum + execution.usage.calls, 0),
  };
}

type Finished = Pick<ExecutionDocument, 'execution' | 'outcome' | 'usage'>;

const readFinished = (store: Store, designId: string): Promise<Finished[]> =>
  store.executions.find({ designId }, { projection: { execution: 1, outcome: 1, usage: 1 } }).toArray();

export interface ExecutionRequest extends Batch, Slot {
  /** Of the activity's attempt. */
  attempt: string;
  run: RunDocument;
  design: Draft<DesignDocument>;
  question: Question;
  limits: ScriptLimits;
  /** What earlier attempts have recorded, by execution id. */
  journal: (executionId: string) => Promise<StoredJournal>;
  speaker: Speaker;
  execution: number;
}

/** What the design itself took of the answer's budget. */
const costOf = ({ writtenBy, promptTokens, responseTokens }: Draft<DesignDocument>) => ({
  calls: writtenBy === 'designer' ? 1 : 0,
  tokens: promptTokens + responseTokens,
});

async function execute(deps: RolloutDeps, request: ExecutionRequest, signal: AbortSignal): Promise<Finished> {
  const { run, design, question, execution } = request;
  const id = executionId(design._id, execution);
  const startedMs = performance.now();
  const outcome = await runJournaled(deps, request, id, signal);
  const draft: Draft<ExecutionDocument> = {
    _id: id,
    runId: request.runId,
    batchId: request.batchId,
    rolloutId: design.rolloutId,
    designId: design._id,
    execution,
    question: question.id,
    outcome: outcome.outcome,
    problem: outcome.error,
    reply:
      outcome.outcome === 'replied' && outcome.reply !== null
        ? { text: outcome.reply.text, answer: outcome.reply.answer }
        : null,
    usage: outcome.usage,
    trace: outcome.structureTrace,
    policyVersion: request.policyVersion,
    attempt: request.attempt,
    durationMs: Math.round(performance.now() - startedMs),
    replayedCalls: outcome.replayedCalls,
    promptForm: run.recipe.prompts.form,
  };
  count('executions', 1, { outcome: outcome.outcome });
  count('journal_replayed_calls', outcome.replayedCalls);
  const isStored = await deps.executions.add(draft);
  crashPoint('execution-stored');
  // Another attempt was first: its document counts.
  return isStored
    ? draft
    : (await readFinished(deps.store, design._id)).find((other) => other.execution === execution)!;
}

/** Runs the script on its journal; a journal that no longer fits is set aside and the script starts afresh, once. */
async function runJournaled(
  deps: RolloutDeps,
  request: ExecutionRequest,
  id: string,
  signal: AbortSignal,
): Promise<ScriptOutcome> {
  const { records, isSecond } = await request.journal(id);
  const again = { ...request, attempt: afresh(request.attempt) };
  const outcome = await runScript(deps, isSecond ? again : request, id, records, signal);
  if (outcome.outcome !== 'journal-diverged' || isSecond) return outcome;
  await setAside(deps.store, id);
  return runScript(deps, again, id, [], signal);
}

function runScript(
  deps: RolloutDeps,
  request: ExecutionRequest,
  id: string,
  journal: readonly JournalRecord[],
  signal: AbortSignal,
): Promise<ScriptOutcome> {
  const { run, design, question } = request;
  return deps.scripts.run({
    executionId: id,
    script: design.script!,
    question: question.text,
    seedKey: seedKeyOf(run.recipe.seed, request.runId, id),
    ...scriptSettings(run.recipe),
    ...answerRules(question.verifier),
    ...hostCaller(deps, request, id, journal),
    limits: request.limits,
    journal,
    signal,
  });
}
