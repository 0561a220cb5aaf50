/** How finely a training or scoring graph is cut, by the shape of what it runs over. Cutting changes memory, not results. */
import type { DecoderConfig } from './config.ts';

/** One graph run over whole sequences. */
export interface SequenceShape {
  /** Padded length, a multiple of `widthMultiple`. */
  width: number;
  /** Scored positions. */
  scored: number;
}

const longWidth = 4096;

/** Lengths are padded to a multiple of this: few distinct shapes, and attention's blocks divide them. */
export const widthMultiple = (length: number): number => (length < longWidth ? 8 : 16);

/** Vocabulary logits that are held at once, at most: 16 MiB of them stay near the caches. */
const mostLogits = 4 << 20;

/** More attention blocks for longer sequences, where skipping the masked half pays; pieces of the loss as a power of 2. */
export function piecesFor(
  { vocabSize }: DecoderConfig,
  { width, scored }: SequenceShape,
): { attentionBlocks: number; lossChunks: number } {
  const attentionBlocks = width < 64 ? 1 : width < 128 ? 2 : width < 256 ? 4 : width < longWidth ? 8 : 16;
  const lossChunks = 2 ** Math.max(0, Math.ceil(Math.log2((scored * vocabSize) / mostLogits)));
  return { attentionBlocks, lossChunks };
}

/** One cut for several shapes: as fine as any of them needs, and one that divides all widths. */
export function piecesForAll(config: DecoderConfig, shapes: readonly SequenceShape[]): ReturnType<typeof piecesFor> {
  const pieces = shapes.map((shape) => piecesFor(config, shape));
  const most = (name: keyof ReturnType<typeof piecesFor>) => Math.max(...pieces.map((piece) => piece[name]));
  // Blocks are powers of 2.
  let attentionBlocks = most('attentionBlocks');
  while (shapes.some(({ width }) => width % attentionBlocks !== 0)) attentionBlocks /= 2;
  return { attentionBlocks, lossChunks: most('lossChunks') };
}
