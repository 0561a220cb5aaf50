/** Log-probs of given responses under a version, at temperature 1 and without truncation. */
import type { LogProbRequest } from './contract.ts';
import { checkSequences } from './check-request.ts';
import { packIds, planMicroBatches, responseView } from './micro-batches.ts';
import type { Resident } from './resident.ts';
import { floatsOf, intTensor } from './session.ts';

const defaultMaxTokens = 8192;

/** One array a sequence, one number a response token. */
export async function logProbs(
  resident: Resident,
  request: LogProbRequest,
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { sequences } = request;
  checkSequences(sequences, resident.graphs.config);
  const session = await resident.graphs.logProbs();
  const results: Float32Array[] = [];
  for (const batch of planMicroBatches(sequences, request.maxTokensPerMicroBatch ?? defaultMaxTokens)) {
    signal?.throwIfAborted();
    const shape = [batch.rows.length, batch.width];
    const { inputIds, targets } = packIds(sequences, batch);
    const outputs = await session.run({
      ...resident.feeds,
      input_ids: intTensor(inputIds, shape),
      targets: intTensor(targets, shape),
    });
    const packed = floatsOf(outputs.log_prob!);
    batch.rows.forEach((index, row) => (results[index] = responseView(sequences[index]!, batch, row, packed).slice()));
  }
  return results;
}
