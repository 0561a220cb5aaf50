/** Whether this processor multiplies bytes exactly. Where it does not, 8-bit weights are refused and their tests skipped aloud. */
import { checkByteProducts } from '../../activities/runtime/engine/byte-products.ts';
import { isDomainError } from '../../shared/errors.ts';

async function refusal(): Promise<string | null> {
  try {
    await checkByteProducts();
    return null;
  } catch (error) {
    if (isDomainError(error, 'UnsupportedOp')) return error.message;
    throw error;
  }
}

const why = await refusal();
if (why !== null) console.warn(`SKIPPED: weights in 8 bits: ${why}`);

export const hasByteProducts = why === null;
