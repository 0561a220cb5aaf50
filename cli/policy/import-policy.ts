/** `policy import`: a Hugging Face folder into the store. What is wrong with it is said before a server is asked. */
import { basename, resolve } from 'node:path';
import { openFolder } from '../../activities/policy/huggingface/open-folder.ts';
import { checkCheckpoint } from '../../activities/policy/huggingface/store-checkpoint.ts';
import { importPolicy } from '../../activities/policy/import-policy.ts';
import { checkRunId } from '../../shared/domain/ids.ts';
import { parameterCount } from '../../shared/model/parameters.ts';
import type { Cli, CommandResult } from '../command.ts';
import { withSession } from '../session.ts';
import { compact } from '../view/numbers.ts';

export interface ImportOptions {
  name?: string;
  maxPositions?: number;
}

export async function importFolder(cli: Cli, directory: string, options: ImportOptions): Promise<CommandResult> {
  const { maxPositions } = options;
  const name = checkRunId(options.name ?? basename(resolve(directory)).toLowerCase());
  checkCheckpoint(await openFolder(directory), maxPositions);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const { policy, inserted } = await importPolicy(store, { directory, name, maxPositions });
    const parameters = parameterCount(policy.decoder);
    const init = JSON.stringify({ type: 'policy', runId: name, version: 0 });
    return {
      data: {
        policy: policy._id,
        inserted,
        parameters,
        dtype: policy.folder!.dtype,
        weights: policy.parts.shared!.weights,
      },
      text: [
        `${inserted ? 'imported' : 'imported before, unchanged'}: ${name}@v0, ${compact(parameters)} parameters in ${policy.folder!.dtype}`,
        `begin a run with it: npx metaagentx train --recipe RECIPE --set 'policy.init=${init}'`,
      ].join('\n'),
    };
  });
}
