/** `policy import`: a Hugging Face folder or a PEFT adapter into the store. What is wrong with it is said before a server is asked. */
import { basename, resolve } from 'node:path';
import { isAdapterFolder } from '../../activities/policy/huggingface/adapter-folder.ts';
import { openFolder } from '../../activities/policy/huggingface/open-folder.ts';
import { checkCheckpoint } from '../../activities/policy/huggingface/store-checkpoint.ts';
import { importAdapter, importPolicy } from '../../activities/policy/import-policy.ts';
import { checkRunId } from '../../shared/domain/ids.ts';
import { DomainError } from '../../shared/errors.ts';
import { parameterCount } from '../../shared/model/parameters.ts';
import type { Cli, CommandResult } from '../command.ts';
import { withSession } from '../session.ts';
import { compact } from '../view/numbers.ts';
import { loraText } from './lora-text.ts';

export interface ImportOptions {
  name?: string;
  maxPositions?: number;
  base?: string;
}

export async function importFolder(cli: Cli, directory: string, options: ImportOptions): Promise<CommandResult> {
  const { maxPositions, base } = options;
  const name = checkRunId(options.name ?? basename(resolve(directory)).toLowerCase());
  const isAdapter = await isAdapterFolder(directory);
  if (isAdapter !== (base !== undefined)) throw misplacedBase(directory, isAdapter);
  if (isAdapter && maxPositions !== undefined) {
    throw new DomainError('InvalidInput', `--max-positions is given: an adapter has the context of its --base`);
  }
  if (!isAdapter) checkCheckpoint(await openFolder(directory), maxPositions);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const { policy, inserted } =
      base === undefined
        ? await importPolicy(store, { directory, name, maxPositions })
        : await importAdapter(store, { directory, name, base });
    const { decoder, lora, folder, parts } = policy;
    const parameters = parameterCount(decoder);
    const init = JSON.stringify({ type: 'policy', runId: name, version: 0 });
    const what = lora === undefined ? `${compact(parameters)} parameters in ${folder!.dtype}` : loraText(lora, decoder);
    return {
      data: {
        policy: policy._id,
        inserted,
        parameters,
        dtype: folder?.dtype ?? 'F32',
        ...parts.shared!,
        ...(lora === undefined ? {} : { lora }),
      },
      text: [
        `${inserted ? 'imported' : 'imported before, unchanged'}: ${name}@v0, ${what}`,
        `begin a run with it: npx metaagentx train --recipe RECIPE --set 'policy.init=${init}'`,
      ].join('\n'),
    };
  });
}

function misplacedBase(directory: string, isAdapter: boolean): DomainError {
  const message = isAdapter
    ? `'${directory}' holds a PEFT adapter: say which stored version it belongs to with --base NAME@v0`
    : `--base is given, but '${directory}' has no adapter_config.json: expected a PEFT adapter. Leave --base out to import a model`;
  return new DomainError('InvalidInput', message, { directory });
}
