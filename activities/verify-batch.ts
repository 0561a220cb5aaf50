/**
 * Judges every execution of some questions: the verifier's verdict on the typed reply, and the reward by rule. The gold
 * answer is read here and nowhere else. An execution without a reply has no verdict and reward 0.
 */
import { rolloutId } from '../shared/domain/ids.ts';
import type { Question } from '../shared/domain/question.ts';
import type { VerifyBatchInput, VerifyBatchResult } from '../shared/domain/tasks.ts';
import { rewardExecution } from '../shared/rl/reward.ts';
import { verifyMath } from '../shared/verify/math.ts';
import { crashPoint } from './crash-point.ts';
import type { CodeJudge } from './code-judge.ts';
import type { RunContexts, RunOf } from './run-context.ts';
import { count } from './telemetry/measure.ts';
import type { ExecutionDocument, VerdictDocument } from './store/documents.ts';
import type { Store } from './store/connect.ts';
import { insertAllOnce } from './store/write.ts';
import type { Draft } from './store/write.ts';

export interface VerifyDeps {
  store: Store;
  runs: RunContexts;
  codeJudge: CodeJudge;
}

export async function verifyBatch(
  deps: VerifyDeps,
  input: VerifyBatchInput,
  signal: AbortSignal,
): Promise<VerifyBatchResult> {
  const rewards = await Promise.all(
    input.slots.map(async ({ slot, questionIndex }) => {
      const rollout = rolloutId(input.batchId, slot);
      const question = await deps.runs.question(input, questionIndex);
      return verifyRollout(deps, input, rollout, question, signal);
    }),
  );
  const verdicts = rewards.flat();
  const total = verdicts.reduce((sum, verdict) => sum + verdict.reward, 0);
  return {
    meanReward: verdicts.length === 0 ? null : total / verdicts.length,
    correct: verdicts.filter((verdict) => verdict.verdict?.correct === true).length,
    executions: verdicts.length,
  };
}

type Judged = Pick<VerdictDocument, 'reward' | 'verdict'>;

async function verifyRollout(
  deps: VerifyDeps,
  which: RunOf,
  rollout: string,
  question: Question,
  signal: AbortSignal,
): Promise<Judged[]> {
  const { store } = deps;
  const { runId } = which;
  const { recipe } = await deps.runs.run(which);
  const [executions, standing] = await Promise.all([
    store.executions.find({ rolloutId: rollout }).toArray(),
    store.verdicts.find({ rolloutId: rollout }).toArray(),
  ]);
  const known = new Set(standing.map((verdict) => verdict._id));
  const drafts: Draft<VerdictDocument>[] = [];
  for (const execution of executions.filter(({ _id }) => !known.has(_id))) {
    const judged = await judgeReply(deps.codeJudge, question, execution.reply, signal);
    const { correct } = judged.verdict ?? { correct: null };
    count('verdicts', 1, {
      verdict: correct === null ? 'none' : correct ? 'right' : 'wrong',
      tier: judged.tier ?? 'none',
    });
    const { _id, batchId } = execution;
    drafts.push({
      _id,
      runId,
      batchId,
      rolloutId: rollout,
      ...judged,
      ...rewardExecution(judged.verdict, recipe.reward),
    });
  }
  await insertAllOnce(store.verdicts, drafts);
  crashPoint('verdicts-stored');
  return [...standing, ...drafts];
}

/** The verifier's word on one reply; null where there is none, or nobody knows the answer. */
export async function judgeReply(
  codeJudge: CodeJudge,
  { verifier }: Question,
  reply: ExecutionDocument['reply'],
  signal: AbortSignal,
): Promise<Pick<VerdictDocument, 'verdict' | 'tier' | 'code'>> {
  if (reply === null || verifier.type === 'none') return { verdict: null, tier: null };
  if (verifier.type === 'math') return { verdict: verifyMath(verifier.gold, reply.text), tier: null };
  return codeJudge(verifier, reply.text, signal);
}
