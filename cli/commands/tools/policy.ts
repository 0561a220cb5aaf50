/** `policy`: Hugging Face folders into the store and out of it, and what a policy is. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Act, CommandFile } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import type { ExportOptions } from '../../policy/export-policy.ts';
import type { ImportOptions } from '../../policy/import-policy.ts';
import type { ShowOptions } from '../../policy/show-policy.ts';

const parts = ['shared', 'designer', 'executor'];
const formats = ['exact', 'f32', 'f16', 'bf16'];

function defineImport(parent: Command, act: Act): void {
  const command = parent
    .command('import')
    .summary('store a Hugging Face folder')
    .description('Checks a model folder and stores it as version v0 of a policy that any run may begin with.')
    .argument('<dir>', 'config.json, tokenizer.json and safetensors files, as they are downloaded; or a PEFT adapter')
    .option('--name <name>', "the policy's name; by default the folder's, in small letters")
    .option(
      '--max-positions <n>',
      "longest context in tokens; by default the model's, less saves memory",
      wholeNumber(1),
    )
    .option('--base <policy>', 'of a PEFT adapter: the stored version that it belongs to')
    .addHelpText(
      'after',
      `
Known: Llama 3, Qwen2, Qwen2.5 and Qwen3 (docs/engine.md); whatever else a config.json asks for is refused by name. The
weights are streamed: importing takes a few megabytes of memory whatever their size.
` +
        examples(
          ['policy import models/Qwen3-0.6B', 'as qwen3-0.6b'],
          ['policy import models/Qwen3-8B --name base --max-positions 16384', 'under another name, with less context'],
          ['policy import adapters/maths --base base@v0', 'a LoRA adapter in the layout of PEFT'],
          [
            `train --recipe my-recipe.ts --set 'policy.init={"type":"policy","runId":"base","version":0}'`,
            'begin a run with it',
          ],
        ),
    );
  act<ImportOptions>(command, async (cli, [directory], options) => {
    const { importFolder } = await import('../../policy/import-policy.ts');
    return importFolder(cli, directory!, options);
  });
}

function defineExport(parent: Command, act: Act): void {
  const command = parent
    .command('export')
    .summary('write a version as a Hugging Face folder')
    .description('Writes a policy version as a folder that transformers and other engines read.')
    .argument('<policy>', "RUN@vN, RUN@latest, or an imported policy's name")
    .argument('<dir>', 'the folder: new, or empty')
    .addOption(new Option('--part <part>', 'whose weights, where each role has its own').choices(parts))
    .addOption(
      new Option('--dtype <format>', 'exact: as they came while they are unchanged, else f32')
        .choices(formats)
        .default('exact'),
    )
    .option('--max-shard-mb <n>', 'begin another file after so many megabytes', wholeNumber(1), 5_000)
    .option('--merged', 'of a policy with adapters: whole weights in place of the adapter alone')
    .addHelpText(
      'after',
      `
What was imported and has not been trained goes back bit for bit, with all its small files. A policy with adapters goes out
as PEFT's adapter_config.json and adapter_model.safetensors.
` +
        examples(
          ['policy export my-run@latest models/my-run', 'the newest version'],
          ['policy export my-run@v34 models/designer --part designer --dtype bf16', 'one role of a split policy'],
          ['policy export my-run@v34 models/whole --merged', 'adapters merged into their base'],
        ),
    );
  act<ExportOptions>(command, async (cli, [reference, directory], options) => {
    const { exportVersion } = await import('../../policy/export-policy.ts');
    return exportVersion(cli, reference!, directory!, options);
  });
}

function defineShow(parent: Command, act: Act): void {
  const command = parent
    .command('show')
    .summary('show what a version or a folder is')
    .description('Shows architecture, sizes, tokenizer and origin. A folder is checked as an import would check it.')
    .argument('<policy|dir>', "RUN@vN, RUN@latest, an imported policy's name, or a Hugging Face folder")
    .option('--plan <rowsxtokens>', 'what a training step of such a micro-batch takes of memory')
    .addHelpText(
      'after',
      examples(
        ['policy show my-run@v34', 'a version of a run'],
        ['policy show models/Qwen3-8B', 'before an import'],
        ['policy show models/Qwen3-0.6B --plan 4x2048', 'with the memory that training takes'],
      ),
    );
  act<ShowOptions>(command, async (cli, [target], options) => {
    const { showPolicy } = await import('../../policy/show-policy.ts');
    return showPolicy(cli, target!, options);
  });
}

function defineList(parent: Command, act: Act): void {
  const command = parent
    .command('list')
    .summary('list the policies')
    .description('Lists imported policies and the versions that runs have made.')
    .addHelpText('after', examples(['policy list', 'all, newest first']));
  act(command, async (cli) => {
    const { listPolicies } = await import('../../policy/list-policies.ts');
    return listPolicies(cli);
  });
}

export const command: CommandFile = {
  define(command, act) {
    command.description('Moves policies between the store and Hugging Face folders, and shows what they are.');
    defineImport(command, act);
    defineExport(command, act);
    defineShow(command, act);
    defineList(command, act);
  },
};
