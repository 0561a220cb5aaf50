/** Which blobs a policy version reads, what each is to it, and which version's making made it. */
import type { PolicyDocument } from '../store/documents.ts';

export interface BlobUse {
  digest: string;
  /** In words. */
  what: string;
  madeIn: number;
  isPruned: boolean;
}

type Reading = Pick<PolicyDocument, 'parts' | 'tokenizer' | 'folder' | 'pruned'>;

/** Those that were given up only where asked for. */
export function blobsOf({ parts, tokenizer, folder, pruned }: Reading, withPruned = false): BlobUse[] {
  const kept = { madeIn: 0, isPruned: false };
  const uses: BlobUse[] = [
    { digest: tokenizer, what: 'the tokenizer', ...kept },
    ...(folder?.files ?? []).map(({ name, digest }) => ({ digest, what: `the file ${name}`, ...kept })),
  ];
  for (const [part, { changedIn: madeIn, weights, base, optimizer }] of Object.entries(parts)) {
    if (base !== undefined) uses.push({ digest: base, what: `the frozen '${part}' weights`, ...kept });
    uses.push({ digest: weights, what: `the '${part}' weights`, madeIn, isPruned: pruned?.weights === true });
    if (optimizer === null) continue;
    uses.push({ digest: optimizer, what: `the '${part}' moments`, madeIn, isPruned: pruned?.optimizer === true });
  }
  return uses.filter(({ isPruned }) => withPruned || !isPruned);
}

/** Each once, also of those that were given up. */
export const digestsOf = (reading: Reading): Set<string> => new Set(blobsOf(reading, true).map(({ digest }) => digest));
