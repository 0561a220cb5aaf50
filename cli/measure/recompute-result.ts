/** `eval show --recompute`: the evaluation derived again from stored answers, and where it differs from what is stored. */
import { codeJudge } from '../../activities/code-judge.ts';
import { recomputeEvaluation } from '../../activities/evaluation/recompute.ts';
import { lazySandbox } from '../../activities/runtime/python/lazy-sandbox.ts';
import { checkerRunner } from '../../activities/runtime/script/checker.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import type { Store } from '../../activities/store/connect.ts';
import type { EvaluationDocument } from '../../activities/store/documents.ts';
import type { Cli, CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { readConfig } from '../settings.ts';
import { counted } from '../view/numbers.ts';
import { metricLines } from './evaluation-result.ts';

const shown = 20;

export async function recomputeResult(cli: Cli, store: Store, stored: EvaluationDocument): Promise<CommandResult> {
  const { minTier, programs } = readConfig().python;
  const python = lazySandbox({ minTier, workers: programs });
  const scripts = createScriptPool({ threads: 1 });
  const judge = codeJudge(python.open, checkerRunner(scripts));
  try {
    const { summary, judged, changedVerdicts, differences } = await recomputeEvaluation(
      store,
      stored,
      judge,
      cli.signal,
    );
    const identical = differences.length === 0 && changedVerdicts.length === 0;
    return {
      data: { id: stored._id, identical, judged, changedVerdicts, differences, ...summary },
      text: [
        `${cli.paint.bold(stored._id)}  ${counted(judged, 'stored answer')} judged anew`,
        ...metricLines({ ...stored, ...summary }),
        '',
        identical
          ? cli.paint.green('identical to the stored result')
          : cli.paint.red(`differs from the stored result in ${counted(differences.length, 'field')}:`),
        ...clipped(differences),
        ...(changedVerdicts.length === 0 ? [] : ['other verdicts:', ...clipped(changedVerdicts)]),
      ].join('\n'),
      exitCode: identical ? exitCodes.ok : exitCodes.failure,
    };
  } finally {
    await scripts.close();
    await python.close();
  }
}

function clipped(list: readonly string[]): string[] {
  const lines = list.slice(0, shown).map((line) => `  ${line}`);
  return list.length > shown ? [...lines, `  … and ${list.length - shown} more`] : lines;
}
