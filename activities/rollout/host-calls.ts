/**
 * One execution's host calls, and the journal document of each. The seed of a model call is what it is (node path,
 * content, occurrence), never when it came, so concurrent agents sample the same in every attempt.
 */
import { DomainError } from '../../shared/errors.ts';
import { callId, seedKeyOf } from '../../shared/domain/ids.ts';
import type { HostAnswer, JournalRecord, ModelCall, ScriptRun, ToolCall } from '../runtime/script/contract.ts';
import type { CallDocument } from '../store/documents.ts';
import type { Draft } from '../store/write.ts';
import { crashPoint } from '../crash-point.ts';
import { spanned, spanPlace } from '../telemetry/tracing.ts';
import { samplingOf } from './context.ts';
import type { RolloutDeps } from './context.ts';
import type { ExecutionRequest } from './execute-design.ts';
import { sampleCall } from './sample-call.ts';
import type { Said } from './speaker.ts';
import { toolCaller } from './tool-calls.ts';

export type HostCaller = Required<Pick<ScriptRun, 'perform' | 'record'>>;

/** `journal` is what earlier attempts have recorded. */
export function hostCaller(
  deps: RolloutDeps,
  request: ExecutionRequest,
  executionId: string,
  journal: readonly JournalRecord[],
): HostCaller {
  const { run, speaker } = request;
  const most = samplingOf(run.recipe, request.purpose, 'executor');
  const performTool = toolCaller(deps.python);
  // Calls come from a thread's messages, which know nothing of the activity they serve.
  const place = spanPlace();
  /** Sampled or asked but not yet journaled, by call number. */
  const open = new Map<number, { call: ModelCall; trajectory: NonNullable<Said['trajectory']> }>();
  const tools = new Map<number, ToolCall>();
  const sameAs = ({ nodePath, hash }: Pick<ModelCall, 'nodePath' | 'hash'>) => `${nodePath}/${hash}`;
  const numbers = new Map<string, Set<number>>();
  const note = (call: Pick<ModelCall, 'nodePath' | 'hash' | 'call'>) =>
    numbers.set(sameAs(call), (numbers.get(sameAs(call)) ?? new Set()).add(call.call));
  journal.forEach(note);

  /** Equal calls of one node are told apart by their order of asking, journaled ones included. */
  const seedKeyOfCall = (call: ModelCall) => {
    note(call);
    const same = sameAs(call);
    const occurrence = [...numbers.get(same)!].filter((number) => number < call.call).length;
    return `${seedKeyOf(run.recipe.seed, request.runId, executionId)}/${same}/${occurrence}`;
  };

  async function performModel(call: ModelCall, signal: AbortSignal): Promise<HostAnswer> {
    const seedKey = seedKeyOfCall(call);
    const about = { 'metaagentx.call': callId(executionId, call.call), 'metaagentx.agent': call.agentName };
    const { answer, trajectory } = await spanned(place, 'model call', about, async (span) => {
      const made = await sampleCall(speaker, most, call, seedKey, signal);
      const { promptTokens, responseTokens } = made.answer;
      span.setAttributes({ 'gen_ai.usage.input_tokens': promptTokens, 'gen_ai.usage.output_tokens': responseTokens });
      return made;
    });
    if (trajectory !== null) open.set(call.call, { call, trajectory });
    return answer;
  }

  function documentOf(record: JournalRecord): Draft<CallDocument> {
    const sampled = open.get(record.call);
    open.delete(record.call);
    const tool = tools.get(record.call);
    tools.delete(record.call);
    return {
      _id: callId(executionId, record.call),
      runId: request.runId,
      batchId: request.batchId,
      executionId,
      attempt: request.attempt,
      ...record,
      agentPart: sampled?.call.part ?? null,
      messages: sampled?.call.messages ?? null,
      ...(sampled === undefined ? {} : { policyVersion: request.policyVersion, ...sampled.trajectory }),
      ...(tool === undefined ? {} : { tool: { name: tool.tool, input: tool.input } }),
    };
  }

  return {
    perform(call, signal) {
      if (call.kind === 'model') return performModel(call, signal);
      tools.set(call.call, call);
      return performTool(call, signal);
    },
    async record(record) {
      const draft = documentOf(record);
      const stored = await deps.journal.add(draft);
      crashPoint('call-journaled');
      if (stored) return;
      // Another attempt of the same execution was faster: what it stored is what training will read.
      const standing = await deps.store.calls.findOne({ _id: draft._id }, { projection: { answer: 1 } });
      if (standing !== null) return standing.answer;
      throw new DomainError('RecordConflict', `${draft._id} was refused as a duplicate and is not in the store`, {
        id: draft._id,
      });
    },
  };
}
