/** The pages in the browser of what a command works on: those that are served meanwhile, and those that stay. */
import type { Cli } from './command.ts';
import type { Session } from './session.ts';
import type { RunPages } from './view/report.ts';

/** To be said while a command waits. `path` is the dashboard's, where it is not the workflow's id; empty: its first page. */
export function sayPages(
  cli: Pick<Cli, 'log'>,
  { uiUrl, dashboardUrl }: Pick<Session, 'uiUrl' | 'dashboardUrl'>,
  workflowId: string,
  path = workflowId,
): void {
  const [ui, dashboard] = [uiUrl(workflowId), dashboardUrl(path)];
  if (ui !== null) cli.log(`Temporal UI: ${ui}`);
  if (dashboard !== null) cli.log(`dashboard:   ${dashboard}`);
}

/** The run's pages that are there after the command. */
export const lastingPages = ({ lasting }: Pick<Session, 'lasting'>, runId: string): RunPages => ({
  uiUrl: lasting.uiUrl(runId),
  dashboardUrl: lasting.dashboardUrl(runId),
});
