/** `doctor`: what this machine and clone have, what is missing, and what to do about it. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { readConfig, stateDirOf } from '../../settings.ts';
import { renderTable } from '../../view/table.ts';

export const command: CommandFile = {
  define(command, act) {
    command.addHelpText(
      'after',
      `
Looks only: nothing is started, downloaded or changed. Exit code 0 when all is well, 4 when something must be mended.
` + examples(['doctor', 'before a first run, and first when something fails']),
    );
    act(command, (cli) => examine(cli));
  },
};

async function examine(cli: Cli): Promise<CommandResult> {
  const { runDoctor } = await import('../../stack/doctor.ts');
  const sandbox = { minTier: readConfig().python.minTier };
  const rows = await runDoctor({ env: cli.environment, stateDir: stateDirOf(cli.environment), sandbox });
  const { green, red } = cli.paint;
  const lines = renderTable(
    [{ title: '' }, { title: 'check' }, { title: 'seen' }],
    rows.map(({ name, ok, detail }) => [ok ? green('ok') : red('bad'), name, detail]),
  );
  const wrong = rows.filter(({ ok }) => !ok);
  const fixes = wrong.map(({ name, fix }) => `  ${name}: ${fix}`);
  return {
    data: { ok: wrong.length === 0, checks: rows },
    text: [...lines, '', ...(wrong.length === 0 ? ['all is well'] : ['to do:', ...fixes])].join('\n'),
    exitCode: wrong.length === 0 ? exitCodes.ok : exitCodes.unavailable,
  };
}
