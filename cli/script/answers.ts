/** Who answers a script's model calls in `script run`: one of the dry run's voices, or a policy of a run. */
import { PolicyResidence } from '../../activities/policy/residence.ts';
import { answerRules } from '../../activities/rollout/answer-rules.ts';
import { samplingOf } from '../../activities/rollout/context.ts';
import { sampleCall } from '../../activities/rollout/sample-call.ts';
import { withSpeaker } from '../../activities/rollout/speaker.ts';
import { createEngine } from '../../activities/runtime/engine/create-engine.ts';
import type { HostAnswer, ScriptRun, ToolCall } from '../../activities/runtime/script/contract.ts';
import { dryRunShapes } from '../../activities/runtime/script/dry-run.ts';
import type { Recipe } from '../../shared/config/recipe.ts';
import type { Cli } from '../command.ts';
import { pinPolicy } from '../measure/pinned-policy.ts';
import { withSession } from '../session.ts';

export type Answers = Pick<ScriptRun, 'perform' | 'extractAnswer' | 'answersEqual'>;
export type AnswerTool = (call: ToolCall, signal: AbortSignal) => Promise<HostAnswer>;

/** Stubbed model answers of one shape; tools answer for themselves. */
export function stubbedAnswers(shape: string, tools: AnswerTool): Answers {
  const { perform, ...rules } = dryRunShapes.find((known) => known.shape === shape)!.stub();
  return { ...rules, perform: (call, signal) => (call.kind === 'tool' ? tools(call, signal) : perform(call, signal)) };
}

/** Works with a policy's own answers, sampled here as training samples an executor's. Stores nothing. */
export async function withPolicyAnswers<Result>(
  cli: Cli,
  reference: string,
  seed: number,
  tools: AnswerTool,
  work: (answers: Answers, recipe: Recipe) => Promise<Result>,
): Promise<Result> {
  return withSession(cli, { stack: 'joined', workers: 'none' }, async ({ store, config }) => {
    const { run, policyVersion: version } = await pinPolicy(store, reference);
    const { _id: runId, recipe } = run;
    const engine = await createEngine(config.engine);
    try {
      const use = { runId, version, role: 'executor', recipe } as const;
      return await withSpeaker({ engine, policies: new PolicyResidence(store, engine) }, use, (speaker) => {
        const most = samplingOf(recipe, 'train', 'executor');
        const perform: Answers['perform'] = async (call, signal) => {
          if (call.kind === 'tool') return tools(call, signal);
          return (await sampleCall(speaker, most, call, `${seed}/${call.nodePath}/${call.hash}`, signal)).answer;
        };
        return work({ perform, ...answerRules({ type: 'none' }) }, recipe);
      });
    } finally {
      await engine.close();
    }
  });
}
