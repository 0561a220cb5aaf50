/** What a run of several decode steps takes beside weights and caches. Knows no lane and no cache. */
import { uniform } from '../../../shared/random.ts';
import type { StreamKey } from '../../../shared/random.ts';
import { DomainError } from '../../../shared/errors.ts';
import type { GenerateRequest } from './contract.ts';
import { floatTensor, intTensor } from './session.ts';
import type { Feeds } from './session.ts';

/** Of one call. */
export interface ChunkRow {
  readonly request: GenerateRequest;
  readonly key: StreamKey;
  readonly stops: ReadonlySet<number>;
  readonly tokens: readonly number[];
  /** Tokens in the cache. */
  readonly length: number;
}

export const truncates = (calls: readonly ChunkRow[]): boolean =>
  calls.some(({ request: { sampling } }) => sampling.topK > 0 || sampling.topP < 1);

/** Pairs of float32 whose sums are the numbers, to 48 bits. */
function pairs(numbers: readonly number[]): Float32Array {
  const words = new Float32Array(2 * numbers.length);
  numbers.forEach((number, i) => {
    const high = Math.fround(number);
    words[2 * i] = high;
    words[2 * i + 1] = number - high;
  });
  return words;
}

/** Rows beyond the calls repeat the first call. */
export function chunkFeeds(calls: readonly ChunkRow[], rows: number, chunk: number, maxPositions: number): Feeds {
  const all = Array.from({ length: rows }, (_, row) => calls[row] ?? calls[0]!);
  const settings = all.map(({ request }) => request.sampling);
  const paired = (numbers: readonly number[], shape: readonly number[]) => floatTensor(pairs(numbers), [...shape, 2]);
  const draws = Array.from({ length: chunk }, (_, step) =>
    all.map(({ key, tokens }) => uniform(key, tokens.length + step)),
  );
  // Every row has as many; an id that a row has not is one that no token is: beyond the vocabulary.
  const most = Math.max(1, ...all.map(({ stops }) => stops.size));
  const noToken = 2 ** 31 - 1;
  const stops = all.flatMap(({ stops }) => Array.from({ length: most }, (_, i) => [...stops][i] ?? noToken));
  const room = ({ request, tokens }: ChunkRow) =>
    Math.min(request.sampling.maxTokens, maxPositions - request.promptIds.length) - tokens.length;
  const ints = (of: (call: ChunkRow) => number) => intTensor(all.map(of), [rows]);
  return {
    input_ids: ints(({ tokens }) => tokens.at(-1)!),
    lengths: ints(({ length }) => length),
    temperature: paired(
      settings.map(({ temperature }) => temperature),
      [rows],
    ),
    top_k: ints(({ request }) => request.sampling.topK),
    top_p: paired(
      settings.map(({ topP }) => topP),
      [rows],
    ),
    min_p: paired(
      settings.map(({ minP }) => minP),
      [rows],
    ),
    uniform: paired(draws.flat(), [chunk, rows]),
    stop_ids: intTensor(stops, [rows, most]),
    limits: ints(room),
  };
}

/** Throws `NonFiniteLoss` where a row's logits were not finite. */
export function finite(logProb: number): number {
  if (Number.isFinite(logProb)) return logProb;
  throw new DomainError(
    'NonFiniteLoss',
    "logits are not finite: the policy's weights are broken; go back to an earlier version",
    { logProb },
  );
}
