/** Log-probs of given responses under a version, at temperature 1 and without truncation. */
import type { LogProbRequest } from './contract.ts';
import { checkPrecision, checkSequences } from './check-request.ts';
import { packBatch, planMicroBatches, responseView } from './micro-batches.ts';
import type { Resident } from './resident.ts';
import { sequenceFeeds } from './sequence-feeds.ts';
import { floatsOf } from './session.ts';

const defaultMaxTokens = 8192;

/** One array a sequence, one number a response token. */
export async function logProbs(
  resident: Resident,
  request: LogProbRequest,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { sequences, precision = 'float32' } = request;
  const { graphs, frozen } = resident;
  checkPrecision(precision);
  checkSequences(sequences, resident.graphs.config);
  const results: Float32Array[] = [];
  for (const batch of planMicroBatches(sequences, request.maxTokensPerMicroBatch ?? defaultMaxTokens)) {
    signal?.throwIfAborted();
    const packed = packBatch(sequences, batch);
    const shape = { width: batch.width, scored: packed.targets.length };
    const session = await graphs.logProbs(shape, precision, frozen);
    const { log_prob } = await session.run({ ...resident.feeds, ...sequenceFeeds(batch, packed) });
    batch.rows.forEach((index, row) => (results[index] = responseView(packed, row, floatsOf(log_prob!)).slice()));
  }
  return results;
}
