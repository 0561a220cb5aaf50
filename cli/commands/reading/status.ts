/** `status`: where a run stands, by its workflow where a worker answers and by the database otherwise. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { progressBlock } from '../../view/progress.ts';
import { evaluationTable } from '../../view/report.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .option('--watch', 'follow the run until it ends')
      .addHelpText(
        'after',
        examples(['status toy-1', 'once'], ['status toy-1 --watch', 'until it ends; Ctrl-C leaves it running']),
      );
    act<{ watch?: boolean }>(command, (cli, [runId], { watch }) => status(cli, runId!, watch ?? false));
  },
};

async function status(cli: Cli, runId: string, watch: boolean): Promise<CommandResult> {
  const [
    { isServed, withSession },
    view,
    { paceOf },
    { workflowStatus },
    { readReport },
    { follow },
    { lastingPages },
  ] = await Promise.all([
    import('../../session.ts'),
    import('../../run-view.ts'),
    import('../../pace.ts'),
    import('../../workflow-status.ts'),
    import('../../run-report.ts'),
    import('../../launch.ts'),
    import('../../pages.ts'),
  ]);
  return withSession(cli, { stack: 'started', workers: 'none' }, async (session) => {
    const { store, client } = session;
    const report = await readReport(store, runId);
    const workflow = await workflowStatus(client, runId);
    if (watch && workflow === 'RUNNING') return follow(cli, session, runId);
    const served = await isServed(session);
    const queried = workflow === 'RUNNING' && served ? await view.queryProgress(client, runId) : null;
    const progress = queried ?? (await view.storedProgress(store, report.run));
    const iterations = await view.readIterations(store, runId);
    const committed = { iterations, evaluations: await view.readEvaluations(store, report.run) };
    const { uiUrl, dashboardUrl } = lastingPages(session, runId);
    const { run, evaluations } = report;
    const tokens = iterations.reduce((sum, each) => sum + each.tokens, 0);
    const pace = paceOf(run.plan, committed, progress.phase === 'evaluating', new Date());
    const seen = {
      progress,
      rewards: iterations.map(({ meanReward }) => meanReward),
      tokens,
      pace,
      samples: run.plan.evaluation.samples,
      page: null,
      elapsedMs: (run.finishedAt ?? new Date()).getTime() - run.createdAt.getTime(),
      notice: run.recipe.policy.init.type === 'endpoint' ? null : noticeOf(runId, run.status, workflow, served),
    };
    return {
      data: {
        runId,
        status: run.status,
        workflow,
        served,
        progress,
        rewards: iterations.map(({ id, stage, iteration, meanReward }) => ({ id, stage, iteration, meanReward })),
        tokens,
        tokensPerSecond: pace.tokensPerSecond,
        etaMs: pace.etaMs,
        evaluations,
        failure: run.failure ?? null,
        uiUrl,
        dashboardUrl,
      },
      text: [
        ...progressBlock(seen, cli.paint),
        ...(run.failure === undefined ? [] : [cli.paint.red(`  ${run.failure.name}: ${run.failure.message}`)]),
        '',
        ...evaluationTable(report),
        '',
        ...(uiUrl === null ? [] : [`Temporal UI: ${uiUrl}`]),
        ...(dashboardUrl === null ? [] : [`Dashboard:   ${dashboardUrl}`]),
        `look deeper: npx metaagentx inspect ${runId}`,
      ].join('\n'),
    };
  });
}

function noticeOf(runId: string, run: string, workflow: string, served: boolean): string | null {
  if (workflow === 'RUNNING') {
    return served ? null : 'no worker serves this run: it waits. Start workers with: npx metaagentx up';
  }
  if (run === 'finished') return null;
  return `the run is ${run} and its workflow ${workflow.toLowerCase()}; go on with: npx metaagentx resume ${runId}`;
}
