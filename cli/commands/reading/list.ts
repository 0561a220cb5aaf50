/** `list`: the runs of the store, newest first. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { moment, percent, version } from '../../view/numbers.ts';
import { renderTable } from '../../view/table.ts';

export const command: CommandFile = {
  define(command, act) {
    command.addHelpText(
      'after',
      examples(['list', 'all runs'], ['list --json | jq .runs[].runId', 'their names, for a script']),
    );
    act(command, (cli) => list(cli));
  },
};

async function list(cli: Cli): Promise<CommandResult> {
  const { withSession } = await import('../../session.ts');
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const [runs, iterations, versions, evaluations] = await Promise.all([
      store.runs.findSound({}, { projection: { prompts: 0 } }),
      store.iterations.findSound({}, { projection: { runId: 1 } }),
      store.policies.findSound({}, { projection: { runId: 1, version: 1 } }),
      store.evaluations.findSound({}, { projection: { runId: 1, name: 1, policyVersion: 1, metrics: 1 } }),
    ]);
    const refused = [runs, iterations, versions, evaluations].flatMap((each) => each.refused);
    refused.forEach((why) => cli.log(why));
    const rows = runs.sound
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
      .map((run) => {
        const committed = versions.sound.filter(({ runId }) => runId === run._id).map(({ version: number }) => number);
        const scores = evaluations.sound
          .filter(({ runId, name }) => runId === run._id && /^(cold-start|stage-)/.test(name))
          .sort((a, b) => a.policyVersion - b.policyVersion);
        return {
          runId: run._id,
          recipe: run.recipe.name,
          seed: run.recipe.seed,
          status: run.status,
          iterations: iterations.sound.filter(({ runId }) => runId === run._id).length,
          ofIterations: run.plan.stages.reduce((sum, stage) => sum + stage.iterations, 0),
          policyVersion: committed.length === 0 ? null : Math.max(...committed),
          firstAverage: scores[0]?.metrics.average ?? null,
          lastAverage: scores.at(-1)?.metrics.average ?? null,
          createdAt: run.createdAt,
        };
      });
    if (rows.length === 0) {
      return {
        data: { runs: [], refused },
        text: 'no runs yet. Start one with: npx metaagentx train --recipe toy --with-stack',
      };
    }
    const titles = ['run', 'recipe', 'seed', 'status', 'iterations', 'policy', 'avg@k', 'created'];
    const lines = renderTable(
      titles.map((title) => ({ title })),
      rows.map((row) => [
        row.runId,
        row.recipe,
        String(row.seed),
        row.status,
        `${row.iterations}/${row.ofIterations}`,
        version(row.policyVersion),
        row.firstAverage === row.lastAverage
          ? percent(row.lastAverage)
          : `${percent(row.firstAverage)} → ${percent(row.lastAverage)}`,
        moment(row.createdAt),
      ]),
    );
    return {
      data: { runs: rows, refused },
      text: [...lines, '', `look at one: npx metaagentx status ${rows[0]!.runId}`].join('\n'),
    };
  });
}
