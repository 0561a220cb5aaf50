/** How likely a sequence's targets are: the part that the loss graph and the log-probability graph share. */
import { concat, entropy, pickRows, softmax, split, targetLogProb } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { vocabularyLogits, type Decoder } from './decoder.ts';
import { sequenceStates } from './sequence.ts';

/** Some of the N scored positions; [n] each. */
export interface ScoredPiece {
  readonly logProb: Value;
  readonly entropy: Value;
}

/**
 * Scores the targets of the scored positions (interface.ts, `scoredPositions`) in `pieces` runs of them, so that logits
 * are [N/pieces, V]. Declares these inputs and `input_ids`.
 */
export function scoreTargets(decoder: Decoder, pieces: number, attentionBlocks: number): readonly ScoredPiece[] {
  const { graph } = decoder;
  const inputIds = graph.input('input_ids', 'int64', ['B', 'T']);
  const positions = graph.input('positions', 'int64', ['N']);
  const places = graph.input('places', 'int64', ['B*T']);
  const targets = split(graph.input('targets', 'int64', ['N']), pieces);
  const { states } = sequenceStates(decoder, inputIds, attentionBlocks);
  return split(pickRows(states, positions, places), pieces).map((piece, i) => {
    const logits = vocabularyLogits(decoder, piece);
    const probs = softmax(logits);
    return { logProb: targetLogProb(logits, probs, targets[i]!), entropy: entropy(logits, probs) };
  });
}

/** The pieces' values of one kind, [N]. */
export function joined(pieces: readonly ScoredPiece[], kind: keyof ScoredPiece): Value {
  return concat(
    pieces.map((piece) => piece[kind]),
    0,
  );
}
