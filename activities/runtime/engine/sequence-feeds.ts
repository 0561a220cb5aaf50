/** The feeds that every graph over whole sequences takes. */
import type { MicroBatch, PackedBatch } from './micro-batches.ts';
import { intTensor } from './session.ts';
import type { Feeds } from './session.ts';

export function sequenceFeeds({ rows, width }: MicroBatch, packed: PackedBatch): Feeds {
  return {
    input_ids: intTensor(packed.inputIds, [rows.length, width]),
    positions: intTensor(packed.positions, [packed.positions.length]),
    places: intTensor(packed.places, [packed.places.length]),
    targets: intTensor(packed.targets, [packed.targets.length]),
  };
}
