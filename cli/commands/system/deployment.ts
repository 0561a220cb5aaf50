/** `deployment`: which version of the workers' code new workflows go to, for upgrades while runs go on. */
import type { Command } from 'commander';
import type { Act, Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';
import { DomainError } from '../../../shared/errors.ts';
import { renderTable } from '../../view/table.ts';
import type { Session } from '../../session.ts';

interface Options {
  name?: string;
}

const nameOption = ['--name <deployment>', "the deployment's name; by default that of temporal.config.ts"] as const;

export const command: CommandFile = {
  define(command, act) {
    command.addHelpText(
      'after',
      `
Workers that are started with METAAGENTX_BUILD_ID (or workers.buildId in temporal.config.ts) carry a version. A stage ends on
the version on which it began; the run itself goes on with the current one, and so do its next stages (docs/operations.md).
` +
        examples(
          ['deployment show', 'the versions, and which may be stopped'],
          ['deployment current v2', 'new stages and runs go to v2'],
        ),
    );
    defineShow(command, act);
    defineCurrent(command, act);
    defineRamp(command, act);
  },
};

function defineShow(parent: Command, act: Act): void {
  const command = parent
    .command('show')
    .summary('show the versions')
    .description('Shows the versions of the deployment.');
  command.option(...nameOption).addHelpText('after', examples(['deployment show --json', 'for scripts']));
  act<Options>(command, (cli, _args, options) => withDeployment(cli, options, async () => undefined));
}

function defineCurrent(parent: Command, act: Act): void {
  const command = parent
    .command('current')
    .summary('send new workflows to a version')
    .description('Makes a version the current one: new runs and stages go to its workers.')
    .argument('<build>', 'its build id; `none`: to workers without a version')
    .option(...nameOption)
    .addHelpText('after', examples(['deployment current v2', 'after the workers of v2 have started']));
  act<Options>(command, (cli, [build], options) =>
    withDeployment(cli, options, async ({ client, addresses }, deploymentName) => {
      const { checkVersion, readDeployment } = await import('../../deployment/read-deployment.ts');
      const buildId = build === 'none' ? '' : build!;
      if (buildId === '') await readDeployment(client, deploymentName);
      else await checkVersion(client, deploymentName, buildId);
      await client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: addresses.namespace,
        deploymentName,
        buildId,
        ignoreMissingTaskQueues: buildId === '',
      });
    }),
  );
}

function defineRamp(parent: Command, act: Act): void {
  const command = parent
    .command('ramp')
    .summary('send a share of new workflows to a version')
    .description('Lets a share of new workflows go to a version; 0 ends it.')
    .argument('<build>', 'its build id')
    .argument('<percent>', '0 to 100', wholeNumber(0))
    .option(...nameOption)
    .addHelpText('after', examples(['deployment ramp v2 10', 'one new workflow in ten']));
  act<Options>(command, (cli, [build, percent], options) =>
    withDeployment(cli, options, async ({ client, addresses }, deploymentName) => {
      const { checkVersion } = await import('../../deployment/read-deployment.ts');
      const percentage = checkPercent(Number(percent));
      await checkVersion(client, deploymentName, build!);
      await client.workflowService.setWorkerDeploymentRampingVersion({
        namespace: addresses.namespace,
        deploymentName,
        buildId: percentage === 0 ? '' : build!,
        percentage,
      });
    }),
  );
}

function checkPercent(percent: number): number {
  if (percent <= 100) return percent;
  throw new DomainError('InvalidInput', `${percent} is not a share: expected 0 to 100 percent`);
}

/** Does `change` and shows what holds then. */
async function withDeployment(
  cli: Cli,
  { name }: Options,
  change: (session: Session, deploymentName: string) => Promise<void>,
): Promise<CommandResult> {
  const [{ withSession }, { readDeployment }] = await Promise.all([
    import('../../session.ts'),
    import('../../deployment/read-deployment.ts'),
  ]);
  return withSession(cli, { stack: 'joined', workers: 'none' }, async (session) => {
    const deploymentName = name ?? session.config.workers.deploymentName;
    await change(session, deploymentName);
    const deployment = await readDeployment(session.client, deploymentName);
    const rows = deployment.versions.map(({ buildId, status, percent }) => [
      buildId,
      percent === null ? status : `${status} ${percent} %`,
    ]);
    const note =
      deployment.current === null ? ['', 'no version is current: new workflows go to workers without one'] : [];
    const lines = [...renderTable([{ title: 'version' }, { title: 'status' }], rows), ...note];
    return { data: { ...deployment }, text: lines.join('\n') };
  });
}
