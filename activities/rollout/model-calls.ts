/**
 * One execution's model calls: chat messages → token ids → engine → text, and the journal document of each. The seed of a
 * call is what it is (node path, content, occurrence), never when it came, so concurrent agents sample the same in
 * every attempt.
 */
import { callId, seedKeyOf } from '../../shared/domain/ids.ts';
import type { SampledTokens, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { HostAnswer, HostCall, JournalRecord, ModelCall } from '../runtime/script/contract.ts';
import type { CallDocument } from '../store/documents.ts';
import { pack } from '../store/packed.ts';
import type { Draft } from '../store/write.ts';
import { samplingOf } from './context.ts';
import type { RolloutDeps } from './context.ts';
import type { ExecutionRequest } from './execute-design.ts';
import { sampledText } from './sampled-text.ts';

interface SampledCall {
  call: ModelCall;
  seedKey: string;
  sampling: SamplingSettings;
  promptIds: Int32Array;
  sampled: SampledTokens;
}

export interface ModelCaller {
  perform: (call: HostCall, signal: AbortSignal) => Promise<HostAnswer>;
  documentOf: (record: JournalRecord) => Draft<CallDocument>;
}

export function modelCaller(deps: RolloutDeps, request: ExecutionRequest, executionId: string): ModelCaller {
  const { run, policy } = request;
  const base = samplingOf(run.recipe, request.purpose, 'executor');
  /** Sampled but not yet journaled, by call number. */
  const open = new Map<number, SampledCall>();
  const seen = new Map<string, number>();

  /** Equal calls of one node are told apart by their order of asking. */
  const seedKeyOfCall = (call: ModelCall) => {
    const same = `${call.nodePath}/${call.hash}`;
    const occurrence = seen.get(same) ?? 0;
    seen.set(same, occurrence + 1);
    return `${seedKeyOf(run.recipe.seed, request.runId, executionId)}/${same}/${occurrence}`;
  };

  async function performModel(call: ModelCall, signal: AbortSignal): Promise<HostAnswer> {
    const seedKey = seedKeyOfCall(call);
    const sampling = { ...base, maxTokens: Math.min(base.maxTokens, call.maxResponseTokens) };
    const promptIds = policy.tokenizer.encodeChat(call.messages);
    const room = policy.decoder.maxPositions - sampling.maxTokens;
    if (promptIds.length > Math.min(call.maxPromptTokens, room)) {
      return { text: '', answer: null, promptTokens: promptIds.length, responseTokens: 0, status: 'prompt-too-long' };
    }
    const sampled = await deps.engine.generate(
      { version: policy.engineVersion, promptIds, sampling, seedKey },
      { signal },
    );
    open.set(call.call, { call, seedKey, sampling, promptIds, sampled });
    return {
      text: sampledText(policy.tokenizer, sampled, sampling),
      promptTokens: promptIds.length,
      responseTokens: sampled.tokenIds.length,
      status: sampled.finishReason === 'length' ? 'length' : 'ok',
    };
  }

  return {
    perform: (call, signal) => (call.kind === 'model' ? performModel(call, signal) : refuseTool(call.tool)),
    documentOf(record) {
      const sampled = open.get(record.call);
      open.delete(record.call);
      return {
        _id: callId(executionId, record.sequence),
        runId: request.runId,
        batchId: request.batchId,
        executionId,
        sequence: record.sequence,
        call: record.call,
        kind: record.kind,
        hash: record.hash,
        nodePath: record.nodePath,
        agentName: record.agentName,
        agentPart: sampled?.call.part ?? null,
        messages: sampled?.call.messages ?? null,
        answer: record.answer,
        ...(sampled === undefined ? {} : trajectoryOf(request, sampled)),
      };
    },
  };
}

/** No tool is granted to designs here, so the runtime never asks; a typed answer keeps the contract all the same. */
const refuseTool = async (tool: string): Promise<HostAnswer> => ({
  text: `the tool '${tool}' is not granted`,
  answer: null,
  promptTokens: 0,
  responseTokens: 0,
  status: 'failed',
});

function trajectoryOf(request: ExecutionRequest, { seedKey, sampling, promptIds, sampled }: SampledCall) {
  return {
    policyVersion: request.policyVersion,
    part: request.policy.part,
    seedKey,
    sampling,
    promptIds: pack(promptIds),
    tokenIds: pack(sampled.tokenIds),
    logProbs: pack(sampled.logProbs),
    finishReason: sampled.finishReason,
    promptTokens: promptIds.length,
    responseTokens: sampled.tokenIds.length,
  };
}

/** The record that a stored call stands for. */
export const journalOf = ({
  sequence,
  call,
  hash,
  kind,
  nodePath,
  agentName,
  answer,
}: CallDocument): JournalRecord => ({
  sequence,
  call,
  hash,
  kind,
  nodePath,
  agentName,
  answer,
});
