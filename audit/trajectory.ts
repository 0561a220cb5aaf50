/** One sampled trajectory: lengths agree, log-probs are log-probs, ids are in the vocabulary, the policy version is right. */
import type { TrajectoryFields } from '../activities/store/documents.ts';
import type { Findings } from './report.ts';

export interface TrajectoryRules {
  policyVersion: number;
  vocabSize: number;
  /** Draws of one path belong to one trajectory. */
  seedPrefix: string;
}

type Binary = TrajectoryFields['tokenIds'];

const viewOf = (binary: Binary): DataView => {
  const bytes = binary.buffer.subarray(0, binary.length());
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};

/** True where the document holds sampled tokens that may be learned from. */
export function checkTrajectory(
  findings: Findings,
  id: string,
  fields: Partial<TrajectoryFields>,
  rules: TrajectoryRules,
): boolean {
  const say = (problem: string) => findings.found('trajectories', id, problem);
  findings.saw('trajectories');
  const { promptIds, tokenIds, logProbs, promptTokens, responseTokens, sampling, seedKey } = fields;
  if (!promptIds || !tokenIds || !logProbs || !sampling || seedKey === undefined) {
    say('holds no sampled tokens');
    return false;
  }
  const [prompt, tokens, probs] = [viewOf(promptIds), viewOf(tokenIds), viewOf(logProbs)];
  if (prompt.byteLength !== 4 * (promptTokens ?? -1)) {
    say(`has ${prompt.byteLength / 4} prompt ids and counts ${promptTokens} prompt tokens`);
  }
  if (tokens.byteLength !== 4 * (responseTokens ?? -1) || probs.byteLength !== tokens.byteLength) {
    say(
      `has ${tokens.byteLength / 4} token ids, ${probs.byteLength / 4} log-probs and counts ${responseTokens} tokens`,
    );
    return false;
  }
  if (responseTokens === 0 || responseTokens! > sampling.maxTokens) {
    say(`has ${responseTokens} response tokens: expected 1 to ${sampling.maxTokens}`);
  }
  checkNumbers(say, tokens, probs, rules.vocabSize);
  if (fields.policyVersion !== rules.policyVersion) {
    say(`was sampled from v${fields.policyVersion}: expected v${rules.policyVersion}`);
  }
  if (!seedKey.startsWith(rules.seedPrefix))
    say(`was drawn from the path '${seedKey}': expected '${rules.seedPrefix}…'`);
  return true;
}

function checkNumbers(say: (problem: string) => void, tokens: DataView, probs: DataView, vocabSize: number): void {
  for (let at = 0; at < tokens.byteLength; at += 4) {
    const token = tokens.getInt32(at, true);
    const logProb = probs.getFloat32(at, true);
    if (token < 0 || token >= vocabSize) return say(`token ${at / 4} is ${token}: the vocabulary has ${vocabSize}`);
    // A probability may exceed 1 by rounding.
    if (!(logProb <= 1e-5) || !Number.isFinite(logProb)) return say(`log-prob ${at / 4} is ${logProb}`);
  }
}
