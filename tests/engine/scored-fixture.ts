/** A PyTorch fixture as the inputs of graphs over whole sequences. */
import { unpack, unpackAll, type DecoderFixture } from './torch-fixture.ts';

/** The positions that hold a token and are not padding, last first. */
export const scoredOf = ({ batch, length, lengths }: DecoderFixture) =>
  Array.from({ length: batch * length }, (_, i) => i)
    .filter((i) => i % length < lengths[Math.floor(i / length)]!)
    .reverse();

export function feedsOf(fixture: DecoderFixture) {
  const { batch, length, inputIds, targets, weight, advantage, oldLogProb, refLogProb } = fixture;
  const positions = scoredOf(fixture);
  const scored = (values: ArrayLike<number>) => positions.map((i) => values[i]!);
  const places = Array.from({ length: batch * length }, (_, i) =>
    positions.includes(i) ? positions.indexOf(i) : positions.length,
  );
  return {
    ...unpackAll(fixture.parameters),
    input_ids: inputIds,
    positions,
    places,
    targets: scored(targets),
    weight: scored(unpack(weight)),
    advantage: scored(unpack(advantage)),
    old_log_prob: scored(unpack(oldLogProb)),
    ref_log_prob: scored(unpack(refLogProb)),
  };
}
