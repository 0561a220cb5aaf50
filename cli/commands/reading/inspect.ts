/** `inspect`: any node of a run, from its overview down to one model call. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import type { InspectContext, Inspection } from '../../inspect/inspection.ts';
import type { Target } from '../../inspect/target.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<path>', 'RUN, or a path below it as the tables and the Temporal UI show them, or RUN@vN')
      .option('--full', 'texts in full length')
      .addHelpText(
        'after',
        examples(
          ['inspect toy-1', 'the run: recipe, stages, evaluations'],
          ['inspect toy-1/stage-02/iter-007', 'an iteration: metrics, its questions with their rewards'],
          ['inspect toy-1/stage-02/iter-007/q-3', 'a question: its designs with rewards and advantages'],
          ['inspect toy-1/stage-02/iter-007/q-3/d-1', 'a design: script, outcome, executions'],
          ['inspect toy-1/stage-02/iter-007/q-3/d-1/e-0', 'an execution: every prompt and reply, verdict, credit'],
          ['inspect toy-1@v12', 'a policy version'],
        ),
      );
    act<{ full?: boolean }>(command, (cli, [path], { full }) => inspect(cli, path!, full ?? false));
  },
};

async function inspect(cli: Cli, path: string, full: boolean): Promise<CommandResult> {
  const [{ parentOf, parseTarget }, { renderInspection }] = await Promise.all([
    import('../../inspect/target.ts'),
    import('../../inspect/inspection.ts'),
  ]);
  const target = parseTarget(path);
  const [{ withSession }, { readRun }] = await Promise.all([
    import('../../session.ts'),
    import('../../../activities/run-context.ts'),
  ]);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store, lasting }) => {
    const run = await readRun(store, target.runId);
    const { paint, width } = cli;
    const { uiUrl } = lasting;
    const found = await look({ store, run, paint, width, full, uiUrl }, target);
    return {
      data: { level: target.level, ...found.data, children: found.children },
      text: renderInspection(found, parentOf(target), paint),
    };
  });
}

async function look(context: InspectContext, target: Target): Promise<Inspection> {
  const [runs, batches, designs, executions] = await Promise.all([
    import('../../inspect/run-node.ts'),
    import('../../inspect/batch-node.ts'),
    import('../../inspect/design-node.ts'),
    import('../../inspect/execution-node.ts'),
  ]);
  switch (target.level) {
    case 'run':
      return runs.inspectRun(context);
    case 'policy':
      return runs.inspectPolicy(context, target.version);
    case 'stage':
      return batches.inspectStage(context, target.stage);
    case 'batch':
      return batches.inspectBatch(context, target);
    case 'question':
      return designs.inspectQuestion(context, target);
    case 'design':
      return designs.inspectDesign(context, target);
    case 'execution':
      return executions.inspectExecution(context, target);
    case 'call':
      return executions.inspectCall(context, target);
  }
}
