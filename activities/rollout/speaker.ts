/**
 * Who answers a role's prompts: a stored policy in this worker's engine, or a model behind an endpoint. Chat messages in,
 * text and its record out; too long a prompt is an answer, and nothing is sampled.
 */
import type { ChatMessage, SamplingSettings } from '../../shared/domain/sampling.ts';
import type { Role } from '../../shared/domain/role.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import { createStream } from '../../shared/random.ts';
import { endpointOf } from '../endpoint/chat-endpoint.ts';
import type { ResidentPolicy } from '../policy/residence.ts';
import type { Precision } from '../../shared/model/interface.ts';
import type { PolicyEngine } from '../runtime/engine/contract.ts';
import { pack } from '../store/packed.ts';
import type { TrajectoryFields } from '../store/documents.ts';
import type { RolloutDeps } from './context.ts';
import { sampledText } from './sampled-text.ts';

export interface Said {
  text: string;
  status: 'ok' | 'length' | 'prompt-too-long';
  promptTokens: number;
  responseTokens: number;
  /** Null where nothing was sampled. An endpoint shows no tokens: they are empty then. */
  trajectory: Omit<TrajectoryFields, 'policyVersion'> | null;
}

export interface Saying {
  messages: readonly ChatMessage[];
  sampling: SamplingSettings;
  seedKey: string;
  /** Tokens of the prompt, at most; an endpoint only knows its own limit. */
  maxPromptTokens?: number;
}

export interface Speaker {
  say(saying: Saying, signal: AbortSignal): Promise<Said>;
}

const tooLong = (promptTokens: number): Said => ({
  text: '',
  status: 'prompt-too-long',
  promptTokens,
  responseTokens: 0,
  trajectory: null,
});

export interface SpeakerUse {
  runId: string;
  version: number;
  role: Role;
  recipe: Recipe;
  /** Of a policy in the engine; its own by default. */
  weights?: Precision;
}

/** Runs `task` with the role's speaker; weights stay loaded until it ends. */
export function withSpeaker<Result>(
  deps: Pick<RolloutDeps, 'policies' | 'engine'>,
  { runId, version, role, recipe, weights }: SpeakerUse,
  task: (speaker: Speaker) => Promise<Result>,
): Promise<Result> {
  const { init, layout } = recipe.policy;
  if (init.type === 'endpoint') return task(endpointSpeaker(init));
  return deps.policies.with({ runId, version, role, layout }, (policy) =>
    task(policySpeaker(deps.engine, policy, weights)),
  );
}

export function policySpeaker(
  engine: Pick<PolicyEngine, 'generate'>,
  {
    engineVersion: version,
    part,
    tokenizer,
    decoder,
  }: Pick<ResidentPolicy, 'engineVersion' | 'part' | 'tokenizer' | 'decoder'>,
  weights?: Precision,
): Speaker {
  return {
    async say({ messages, sampling, seedKey, maxPromptTokens = Infinity }, signal) {
      const promptIds = tokenizer.encodeChat(messages);
      const promptTokens = promptIds.length;
      if (promptTokens > Math.min(maxPromptTokens, decoder.maxPositions - sampling.maxTokens))
        return tooLong(promptTokens);
      const sampled = await engine.generate({ version, promptIds, sampling, seedKey, weights }, { signal });
      const { tokenIds, logProbs, finishReason } = sampled;
      const responseTokens = tokenIds.length;
      return {
        text: sampledText(tokenizer, sampled, sampling),
        status: finishReason === 'length' ? 'length' : 'ok',
        promptTokens,
        responseTokens,
        trajectory: {
          part,
          seedKey,
          sampling,
          promptIds: pack(promptIds),
          tokenIds: pack(tokenIds),
          logProbs: pack(logProbs),
          finishReason,
          promptTokens,
          responseTokens,
        },
      };
    },
  };
}

function endpointSpeaker(init: Extract<Recipe['policy']['init'], { type: 'endpoint' }>): Speaker {
  const { type: _, ...settings } = init;
  const endpoint = endpointOf(settings);
  return {
    async say({ messages, sampling, seedKey }, signal) {
      const seed = createStream(seedKey).integer(0, 2 ** 31);
      const found = await endpoint.complete({ messages, sampling, seed }, signal);
      if (found === null) return tooLong(0);
      const { text, finishReason, promptTokens, responseTokens } = found;
      const nothing = () => pack(new Int32Array(0));
      return {
        text,
        status: finishReason === 'length' ? 'length' : 'ok',
        promptTokens,
        responseTokens,
        trajectory: {
          part: 'shared',
          seedKey,
          sampling,
          promptIds: nothing(),
          tokenIds: nothing(),
          logProbs: nothing(),
          finishReason,
          promptTokens,
          responseTokens,
        },
      };
    },
  };
}
