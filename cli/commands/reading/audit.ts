/** `audit`: proves from the database and the Temporal histories that a run is whole, or says what is wrong with it. */
import type { AuditReport, CheckName } from '../../../audit/report.ts';
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Session } from '../../session.ts';
import { renderTable } from '../../view/table.ts';

interface Options {
  sameAs?: string;
  histories: boolean;
}

/** Findings shown in full; `--json` has all. */
const shown = 40;

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .option('--same-as <run>', 'also compare versions, credits and sampled tokens with another run')
      .option('--no-histories', 'look at the database only')
      .addHelpText(
        'after',
        `
Reads only, with code of its own. Exit code 1 when something is wrong or the two runs differ.
` +
          examples(
            ['audit toy-1', 'everything planned exists once, numbers recompute, blobs match, nothing was done twice'],
            ['audit killed --same-as undisturbed', 'and the two runs of one recipe and seed are equal, bit for bit'],
          ),
      );
    act<Options>(command, (cli, [runId], options) => audit(cli, runId!, options));
  },
};

async function audit(cli: Cli, runId: string, options: Options): Promise<CommandResult> {
  const { withSession } = await import('../../session.ts');
  return withSession(cli, { stack: 'started', workers: 'none' }, async (session) => {
    const reports = await auditAll(session, options.sameAs === undefined ? [runId] : [runId, options.sameAs], options);
    const report = reports[0]!;
    const differences = reports[1] === undefined ? [] : differencesOf(report, reports[1]);
    const wrong = reports.some(({ findings }) => findings.length > 0) || differences.length > 0;
    return {
      data: { ...report, ...(reports[1] === undefined ? {} : { sameAs: reports[1], differences }) },
      text: [...reports.map((each) => textOf(cli, each)), sameText(options.sameAs, differences)]
        .filter(Boolean)
        .join('\n\n'),
      exitCode: wrong ? exitCodes.failure : exitCodes.ok,
    };
  });
}

async function auditAll({ addresses, client }: Session, runIds: string[], { histories }: Options) {
  const [{ auditRun }, { openDatabase }] = await Promise.all([
    import('../../../audit/audit-run.ts'),
    import('../../../audit/database.ts'),
  ]);
  const database = await openDatabase(addresses.mongoUri, addresses.database);
  try {
    const reports: AuditReport[] = [];
    for (const runId of runIds) reports.push(await auditRun(database, runId, { client: histories ? client : null }));
    return reports;
  } finally {
    await database.close();
  }
}

type Part = keyof AuditReport['fingerprint'];

const differencesOf = (a: AuditReport, b: AuditReport): Part[] =>
  (Object.keys(a.fingerprint) as Part[]).filter((part) => a.fingerprint[part] !== b.fingerprint[part]);

function textOf({ paint }: Cli, { runId, status, examined, findings, notes, fingerprint }: AuditReport): string {
  const wrong = (name: CheckName) => findings.filter(({ check }) => check === name).length;
  const rows = (Object.keys(examined) as CheckName[]).map((name) => [
    name,
    String(examined[name]),
    String(wrong(name)),
  ]);
  const columns = [
    { title: 'check' },
    { title: 'looked at', align: 'right' },
    { title: 'wrong', align: 'right' },
  ] as const;
  return [
    `${paint.bold(runId)} (${status})`,
    ...renderTable(columns, rows),
    ...findings.slice(0, shown).map(({ check, id, problem }) => `${paint.red(check)}  ${id} ${problem}`),
    ...(findings.length > shown ? [`… and ${findings.length - shown} more (--json has all)`] : []),
    ...notes.map((note) => paint.dim(`note: ${note}`)),
    `versions ${short(fingerprint.versions)}  credits ${short(fingerprint.credits)}  samples ${short(fingerprint.samples)}`,
    findings.length === 0
      ? paint.green('nothing is missing, doubled or wrong')
      : paint.red(`${findings.length} findings`),
  ].join('\n');
}

const short = (digest: string) => digest.slice(0, 16);

function sameText(other: string | undefined, differences: readonly Part[]): string {
  if (other === undefined) return '';
  return differences.length === 0
    ? `the same as ${other}, bit for bit`
    : `differs from ${other} in: ${differences.join(', ')}`;
}
