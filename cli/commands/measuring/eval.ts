/** `eval`: what a policy version can do on questions. */
import type { Cli, CommandFile, CommandResult } from '../../command.ts';
import { examples, wholeNumber } from '../../command.ts';

interface Options {
  questions?: string;
  samples: number;
  limit?: number;
  again?: boolean;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .argument('<policy>', 'RUN@vN, or RUN@latest')
      .option('--questions <file>', "a questions file (JSONL); without it, the run's held-out questions")
      .option('-k, --samples <k>', 'designs a question, each executed once', wholeNumber(1), 3)
      .option('--limit <n>', 'use only the first so many questions', wholeNumber(1))
      .option('--again', 'measure anew, with fresh designs, what has been measured')
      .addHelpText(
        'after',
        examples(
          ['eval toy-1@latest -k 3', "avg@3 of the newest version on the run's held-out questions"],
          ['eval toy-1@v4 -k 3 --questions aime24.jsonl', 'an earlier version, on your questions'],
          ['eval toy-1@latest -k 3 --json', 'the same for a script'],
        ),
      );
    act<Options>(command, (cli, [policy], options) => run(cli, policy!, options));
  },
};

async function run(cli: Cli, policy: string, options: Options): Promise<CommandResult> {
  const [{ evaluate, readQuestions }, { evaluationResult }, { withSession }, { parsePolicyReference }] =
    await Promise.all([
      import('../../measure/evaluate.ts'),
      import('../../measure/evaluation-result.ts'),
      import('../../session.ts'),
      import('../../../shared/domain/ids.ts'),
    ]);
  parsePolicyReference(policy);
  const { samples, limit, again = false } = options;
  const questions = options.questions === undefined ? undefined : await readQuestions(options.questions);
  return withSession(cli, { stack: 'started', workers: 'polling' }, async (session) =>
    evaluationResult(await evaluate(cli, session, { policy, questions, samples, limit, again }), cli.paint),
  );
}
