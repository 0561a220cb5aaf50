/** A stored policy's tokenizer: tokenizer.json alone, or with what else its Hugging Face folder says about tokens. */
import type { TokenizerTexts } from '../runtime/tokenizer/policy-tokenizer.ts';
import type { Store } from '../store/connect.ts';
import type { PolicyDocument } from '../store/documents.ts';
import { tokenizerTexts } from './huggingface/side-files.ts';
import type { SideFileName } from './huggingface/side-files.ts';

const used: readonly string[] = [
  'chat_template.jinja',
  'config.json',
  'generation_config.json',
  'tokenizer_config.json',
] satisfies SideFileName[];

/** Throws `CheckpointMissing` or `CheckpointCorrupt`. */
export async function readTokenizerTexts(
  store: Store,
  { tokenizer, folder }: Pick<PolicyDocument, 'tokenizer' | 'folder'>,
): Promise<TokenizerTexts> {
  const read = async (digest: string) => new TextDecoder().decode(await store.blobs.get(digest));
  const texts = new Map<SideFileName, string>([['tokenizer.json', await read(tokenizer)]]);
  for (const { name, digest } of folder?.files ?? []) {
    if (used.includes(name)) texts.set(name as SideFileName, await read(digest));
  }
  return tokenizerTexts(texts);
}
