/** `decide`: answers a run that waits because an update's loss was not finite. */
import { Argument } from 'commander';
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples } from '../../command.ts';

interface Options {
  factor?: string;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<run>', 'the run')
      .addArgument(new Argument('<choice>', 'what is to be done').choices(['skip', 'lower-rate', 'stop']))
      .option('--factor <f>', 'lower-rate: multiply the learning rate by this, here and from here on (default: 0.5)')
      .addHelpText(
        'after',
        `
An update whose loss or gradient is not a finite number is never committed: the run waits. \`skip\` goes on with the same
weights, \`lower-rate\` tries again, \`stop\` ends the run, and \`resume\` meets the same update again. The Temporal UI can
send the same answer: update \`decide\` with {"choice":"lower-rate","factor":0.5}.
` +
          examples(
            ['decide toy-1 lower-rate --factor 0.1', 'try that update again, and go on, at a tenth of the rate'],
            ['decide toy-1 skip', 'leave this update out'],
          ),
      );
    act<Options>(command, (cli, [runId, choice], options) => decide(cli, runId!, choice!, options));
  },
};

async function decide(cli: Cli, runId: string, choice: string, { factor }: Options): Promise<CommandResult> {
  const [{ withSession }, { sendDecision }] = await Promise.all([
    import('../../session.ts'),
    import('../../send-decision.ts'),
  ]);
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store, client }) => {
    const { decision, question } = await sendDecision(store, client, runId, decisionOf(choice, factor));
    return {
      data: { runId, decision, about: question.about },
      text: `${question.about}: ${choice}. Watch the run with: npx metaagentx status ${runId} --watch`,
    };
  });
}

/** As typed: what does not go together is refused where the run's question is known. */
export function decisionOf(choice: string, factor: string | undefined): { choice: string; factor?: number } {
  if (factor !== undefined) return { choice, factor: Number(factor) };
  return choice === 'lower-rate' ? { choice, factor: 0.5 } : { choice };
}
