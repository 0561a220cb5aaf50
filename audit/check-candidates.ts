/**
 * The scores of a search's candidates: the share of their answers that was right; nothing for a refused script, and what it was
 * for one that was tried before.
 */
import { candidateId } from '../shared/domain/ids.ts';
import type { CandidateDocument } from '../activities/store/documents.ts';
import { near } from './check-verdict.ts';
import type { Findings } from './report.ts';
import type { Tree } from './tree.ts';

export interface Answered {
  designs: number;
  right: number;
}

export const answeredIn = ({ designs, verdicts }: Tree): Answered => ({
  designs: designs.size,
  right: [...verdicts.values()].filter(({ verdict }) => verdict?.correct === true).length,
});

/** `answered`: by id of the batch, which is the candidate's. */
export function checkCandidates(
  findings: Findings,
  candidates: readonly CandidateDocument[],
  answered: ReadonlyMap<string, Answered>,
): void {
  const scores = new Map(candidates.map(({ _id, score }) => [_id, score]));
  for (const { _id, searchId, number, refusal, sameAs, score } of candidates) {
    if (_id !== candidateId(searchId, number)) findings.found('metrics', _id, `says it is ${number} of ${searchId}`);
    if (score === null) continue;
    const expected =
      refusal !== null ? 0 : sameAs !== null ? scores.get(candidateId(searchId, sameAs)) : ownScore(answered.get(_id));
    findings.holds(
      typeof expected === 'number' && near(score, expected),
      'metrics',
      _id,
      () => `has score ${score}: documents give ${expected}`,
    );
  }
}

const ownScore = (answers: Answered | undefined) =>
  answers === undefined ? undefined : answers.right / answers.designs;
