/** `policy export`: a committed version as a Hugging Face folder. */
import { exportPolicy } from '../../activities/policy/export-policy.ts';
import { storedVersion } from '../../activities/policy/stored-version.ts';
import type { PolicyPart } from '../../activities/store/documents.ts';
import { DomainError } from '../../shared/errors.ts';
import type { StoredDType } from '../../shared/model/checkpoint/number-formats.ts';
import type { Cli, CommandResult } from '../command.ts';
import { withSession } from '../session.ts';
import { counted } from '../view/numbers.ts';

export interface ExportOptions {
  part?: PolicyPart;
  dtype: 'exact' | Lowercase<StoredDType>;
  maxShardMb: number;
  merged?: boolean;
}

export async function exportVersion(
  cli: Cli,
  reference: string,
  directory: string,
  { part = 'shared', dtype, maxShardMb, merged = false }: ExportOptions,
): Promise<CommandResult> {
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const policy = await storedVersion(store, reference);
    if (merged && policy.lora === undefined) {
      throw new DomainError('InvalidInput', `--merged is given, but ${policy._id} has no adapters: leave it out`);
    }
    const exported = await exportPolicy(store, {
      policy,
      part,
      directory,
      dtype: dtype === 'exact' ? dtype : (dtype.toUpperCase() as StoredDType),
      maxShardBytes: maxShardMb * 1e6,
      merged,
    });
    const { files, bytes } = exported;
    return {
      data: { policy: policy._id, part, directory, ...exported },
      text: `${policy._id} '${part}' is in ${directory}: ${counted(files.length, 'file')}, ${(bytes / 1e6).toFixed(1)} MB of weights in ${exported.dtype}`,
    };
  });
}
