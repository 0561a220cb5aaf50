/** `export`: a run's trajectories and credits as files for other tools. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { renderTable } from '../../view/table.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'run id')
      .requiredOption('--to <folder>', 'a new or empty folder')
      .addHelpText(
        'after',
        `
Four tables, each as Parquet and as JSONL: designs and calls (with token ids and log-probs), executions (with verdict and
reward), credits (baseline and advantage of each trajectory; its id is that of the design or execution). Iterations come in
the order of training, then evaluations. export.json, written last, lists columns, rows and SHA-256 digests.
` +
          examples(
            ['export toy-1 --to toy-1-data', 'every trajectory and credit of the run'],
            ['export toy-1 --to toy-1-data --json', 'with the list of files on stdout'],
          ),
      );
    act<{ to: string }>(command, (cli, [runId], { to }) => exportTo(cli, runId!, to));
  },
};

async function exportTo(cli: Cli, runId: string, folder: string): Promise<CommandResult> {
  const [{ withStore }, { exportRun }, { codeVersion }] = await Promise.all([
    import('../../reading-session.ts'),
    import('../../export/export-run.ts'),
    import('../../settings.ts'),
  ]);
  const program = await codeVersion();
  const files = await withStore(cli, ({ store }) => exportRun(store, runId, folder, program));
  return {
    data: { runId, folder, files },
    text: renderTable(
      [{ title: 'file' }, { title: 'rows', align: 'right' }, { title: 'SHA-256' }],
      files.map(({ name, rows, sha256 }) => [`${folder}/${name}`, String(rows), sha256.slice(0, 12)]),
    ).join('\n'),
  };
}
