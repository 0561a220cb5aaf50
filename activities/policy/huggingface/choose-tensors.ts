/** Which tensors of a folder are the decoder's parameters: each once, in its shape, and none left over. */
import { createHash } from 'node:crypto';
import { DomainError } from '../../../shared/errors.ts';
import type { DecoderConfig } from '../../../shared/model/config.ts';
import { parameterShapes } from '../../../shared/model/parameters.ts';
import type { FileTensor } from './open-folder.ts';
import { rawPieces } from './tensor-pieces.ts';

/** Constants that old checkpoints store; the decoder computes them. */
const computed = /\.rotary_emb\.inv_freq$/;
const head = 'lm_head.weight';
const embedding = 'model.embed_tokens.weight';

/** Throws `CheckpointMissing`, `ShapeMismatch` or `UnsupportedModel`, each naming the tensor. */
export async function chooseTensors(
  decoder: DecoderConfig,
  found: ReadonlyMap<string, FileTensor>,
): Promise<Map<string, FileTensor>> {
  const chosen = new Map<string, FileTensor>();
  for (const [name, shape] of parameterShapes(decoder)) {
    const tensor = found.get(name);
    if (tensor === undefined) {
      throw new DomainError(
        'CheckpointMissing',
        `the checkpoint has no tensor '${name}' [${shape.join(', ')}], which its config.json asks for.`,
        { name },
      );
    }
    if (tensor.shape.join() !== shape.join()) {
      throw new DomainError(
        'ShapeMismatch',
        `${tensor.file}: tensor '${name}' is [${tensor.shape.join(', ')}]; config.json makes it [${shape.join(', ')}]. The two belong to different models.`,
        { name, shape: [...tensor.shape], expected: [...shape] },
      );
    }
    chosen.set(name, tensor);
  }
  for (const [name, tensor] of found) {
    if (chosen.has(name) || computed.test(name)) continue;
    if (name === head && decoder.tieEmbeddings) await checkTied(tensor, chosen.get(embedding)!);
    else {
      throw new DomainError(
        'UnsupportedModel',
        `${tensor.file}: tensor '${name}' is no part of a ${decoder.architecture} decoder with this config.json; expected it absent.`,
        { name },
      );
    }
  }
  return chosen;
}

/** A head that is stored although it is the embedding must be the embedding. */
async function checkTied(stored: FileTensor, shared: FileTensor): Promise<void> {
  const [a, b] = [await digest(stored), await digest(shared)];
  if (a === b && stored.dtype === shared.dtype) return;
  throw new DomainError(
    'UnsupportedModel',
    `${stored.file}: '${head}' differs from '${embedding}', but config.json ties them; expected equal tensors or tie_word_embeddings false.`,
    { name: head },
  );
}

async function digest(tensor: FileTensor): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of rawPieces(tensor)) hash.update(piece);
  return hash.digest('hex');
}
