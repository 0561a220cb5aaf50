/** `verify`: one answer against one gold answer, by the rules that rewards come from. */
import type { CommandFile } from '../../command.ts';
import { examples } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';

interface Options {
  gold: string;
  answer: string;
}

export const command: CommandFile = {
  define(command, act) {
    command
      .requiredOption('--gold <text>', 'the right answer, or a worked solution that ends with it')
      .requiredOption('--answer <text>', 'what a model replied: the answer is looked for as in training')
      .addHelpText(
        'after',
        `
Exit code 0 when the answer is right, 1 when it is wrong.
` +
          examples(
            ['verify --gold 0.5 --answer "so it is \\boxed{1/2}"', 'rationals and decimals are compared by value'],
            ['verify --gold "#### 72" --answer "Answer: 72 clips"', 'a wrong answer: why it counts as one'],
          ),
      );
    act<Options>(command, async (_cli, _args, { gold, answer }) => {
      const { verifyMath } = await import('../../../shared/verify/math.ts');
      const verdict = verifyMath(gold, answer);
      const found = verdict.answer === null ? 'no answer was found in the text' : `answer found: ${verdict.answer}`;
      return {
        data: { ...verdict },
        text: `${verdict.correct ? 'right' : 'wrong'} (decided by: ${verdict.how}; ${found})`,
        exitCode: verdict.correct ? exitCodes.ok : exitCodes.failure,
      };
    });
  },
};
