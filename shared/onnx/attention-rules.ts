/**
 * Causal attention as blocks of queries, each against the keys up to its own end: the upper half of the score matrix is
 * never computed and no score tensor is larger than a block's. The gradient takes the probabilities that the forward
 * pass left, if that pass is of the same model (formulas: Dao et al. 2022, appendix B.2; nothing is tiled further).
 */
import type { CausalAttention, TensorType } from '../graph/ops.ts';
import { AttentionWriter } from './attention-writer.ts';
import type { Emitter } from './emitter.ts';

interface Rule {
  readonly emitter: Emitter;
  readonly attributes: CausalAttention;
  readonly x: readonly string[];
  readonly types: readonly TensorType[];
  readonly y: readonly string[];
}

export function emitAttention({ emitter, attributes, types, x, y }: Rule): void {
  const writer = new AttentionWriter(emitter, attributes, types);
  const [q, k, v] = x as [string, string, string];
  const outs = writer.indices.map((block) => writer.product(writer.probabilities(q, k, block), writer.keys(v, block)));
  writer.queryTokens(writer.joined(outs), y[0]!);
}

/** dV = P'dO; dS = P (dO V' - rows of dO O); dQ = dS K; dK = dS'Q. */
export function emitAttentionGradient({ emitter, attributes, types, x, y }: Rule): void {
  const writer = new AttentionWriter(emitter, attributes, types);
  const [q, k, v, out, g] = x as [string, string, string, string, string];
  const [queries, gs, sums] = [writer.queryBlocks(q), writer.queryBlocks(g), writer.rowSums(out, g)];
  const parts = writer.indices.map((block) => {
    const probabilities = writer.probabilities(q, k, block);
    const dProbabilities = writer.product(gs[block]!, writer.keys(v, block), { transB: true });
    const dScores = emitter.emit('Mul', [probabilities, emitter.emit('Sub', [dProbabilities, sums[block]!])]);
    return {
      dq: writer.product(dScores, writer.keys(k, block), { alpha: writer.scale }),
      dk: writer.product(dScores, queries[block]!, { transA: true, alpha: writer.scale }),
      dv: writer.product(probabilities, gs[block]!, { transA: true }),
    };
  });
  writer.queryTokens(writer.joined(parts.map(({ dq }) => dq)), y[0]!);
  writer.keyTokens(writer.sumOfPrefixes(parts.map(({ dk }) => dk)), y[1]!);
  writer.keyTokens(writer.sumOfPrefixes(parts.map(({ dv }) => dv)), y[2]!);
}
