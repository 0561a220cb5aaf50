/** How likely a sequence's targets are: the part that the loss graph and the log-probability graph share. */
import { concat, entropy, flatten, reshape, softmax, split, targetLogProb } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { vocabularyLogits, type Decoder } from './decoder.ts';
import { sequenceStates } from './sequence.ts';

/** Some of the B * T positions; [n] each. */
export interface ScoredPiece {
  readonly logProb: Value;
  readonly entropy: Value;
}

/** Scores `targets` [B, T] after `inputIds` [B, T], in `pieces` runs of positions, so that logits are [B*T/pieces, V]. */
export function scoreTargets(
  decoder: Decoder,
  inputIds: Value,
  targets: Value,
  pieces: number,
  attentionBlocks: number,
): readonly ScoredPiece[] {
  const { states } = sequenceStates(decoder, inputIds, attentionBlocks);
  const targetPieces = split(flatten(targets), pieces);
  return split(states, pieces).map((piece, i) => {
    const logits = vocabularyLogits(decoder, piece);
    const probs = softmax(logits);
    return { logProb: targetLogProb(logits, probs, targetPieces[i]!), entropy: entropy(logits, probs) };
  });
}

/** The pieces' values of one kind as [B, T]. */
export function joined(pieces: readonly ScoredPiece[], kind: keyof ScoredPiece, like: Value): Value {
  return reshape(
    concat(
      pieces.map((piece) => piece[kind]),
      0,
    ),
    like.shape,
  );
}
