/** `solve`: the Designer writes a system for one question, the Executor runs it; answer and script are printed. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, filledText, wholeNumber } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Solved } from '../../measure/solve.ts';
import { policyVersionName } from '../../../shared/domain/ids.ts';

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<policy>', 'RUN, RUN@latest or RUN@vN')
      .argument('<question>', 'the question', filledText)
      .option('--designs <n>', 'designs to try until one may run', wholeNumber(1), 4)
      .addHelpText(
        'after',
        `
Exit code 0 with an answer, 1 without one.
` +
          examples(
            ['solve toy-1 "Tom has 12 pens and gets 7 more. How many pens?"', 'by the newest policy version'],
            ['solve toy-1@v4 "Tom has 12 pens and gets 7 more. How many pens?"', 'by an earlier one'],
          ),
      );
    act<{ designs: number }>(command, (cli, [policy, question], { designs }) => run(cli, policy!, question!, designs));
  },
};

async function run(cli: Cli, policy: string, question: string, designs: number): Promise<CommandResult> {
  const [{ solve }, { withSession }, { parsePolicyReference }] = await Promise.all([
    import('../../measure/solve.ts'),
    import('../../session.ts'),
    import('../../../shared/domain/ids.ts'),
  ]);
  parsePolicyReference(policy);
  return withSession(cli, { stack: 'started', workers: 'polling' }, async (session) =>
    resultOf(cli, question, await solve(cli, session, { policy, question, designs })),
  );
}

function resultOf(cli: Cli, question: string, solved: Solved): CommandResult {
  const { batchId, policyVersion, designs, execution } = solved;
  const ran = execution === null ? undefined : designs.find(({ _id }) => _id === execution.designId);
  const answer = execution?.reply?.answer ?? null;
  const data = {
    batchId,
    policyVersion,
    question,
    answer,
    text: execution?.reply?.text ?? null,
    script: ran?.script ?? null,
    outcome: execution?.outcome ?? designs.at(-1)?.outcome ?? null,
    designs: designs.map(({ _id, script, outcome, problem }) => ({ id: _id, script, outcome, problem })),
    usage: execution?.usage ?? null,
  };
  return {
    data,
    text: [...textOf(cli, solved, ran?.script ?? null), '', `look deeper: npx metaagentx inspect ${batchId}`].join(
      '\n',
    ),
    exitCode: execution?.reply == null ? exitCodes.failure : exitCodes.ok,
  };
}

function textOf({ paint }: Cli, { policyVersion, designs, execution }: Solved, script: string | null): string[] {
  if (execution === null || script === null) {
    return [
      `none of ${designs.length} designs may run:`,
      ...designs.flatMap(({ outcome, problem, reply }) => [
        `  ${outcome}${problem === null ? '' : `: ${problem.message}`}`,
        ...indented(reply),
      ]),
    ];
  }
  const { reply, outcome, problem, usage } = execution;
  return [
    `${paint.bold('design')}  by ${policyVersionName(policyVersion)}`,
    ...indented(script),
    reply === null
      ? `${paint.bold('no answer')}  ${outcome}${problem === null ? '' : `: ${problem.message}`}`
      : `${paint.bold('answer')}  ${reply.answer ?? '(none found in the reply)'}`,
    ...(reply === null || reply.text.trim() === reply.answer ? [] : [paint.bold('reply'), ...indented(reply.text)]),
    paint.dim(`${usage.calls} calls, ${usage.promptTokens + usage.responseTokens} tokens`),
  ];
}

const indented = (text: string) => text.split('\n').map((line) => `    ${line}`);
