/** `eval list`: the evaluations of one run or of all, oldest first. */
import { readRun } from '../../activities/run-context.ts';
import type { Store } from '../../activities/store/connect.ts';
import { systemLabel } from '../../shared/evaluation/name.ts';
import type { CommandResult } from '../command.ts';
import { fixed, moment, percent, version } from '../view/numbers.ts';
import { renderTable } from '../view/table.ts';

export async function listEvaluations(store: Store, runId: string | undefined): Promise<CommandResult> {
  if (runId !== undefined) await readRun(store, runId);
  const found = await store.evaluations
    .find(runId === undefined ? {} : { runId }, { projection: { perQuestion: 0 } })
    .sort({ createdAt: 1 })
    .toArray();
  const evaluations = found.map(({ _id, name, policyVersion, dataset, samples, questions, metrics, ...rest }) => ({
    id: _id,
    runId: rest.runId,
    name,
    system: rest.system,
    budget: rest.budget,
    policyVersion,
    dataset,
    samples,
    questions,
    metrics,
    intervals: rest.intervals,
    createdAt: rest.createdAt,
  }));
  if (evaluations.length === 0) {
    const what = runId === undefined ? 'nothing has been measured yet' : `nothing of ${runId} has been measured yet`;
    return { data: { evaluations }, text: `${what}. Measure with: npx metaagentx eval ${runId ?? 'RUN'}@latest -k 3` };
  }
  const lines = renderTable(
    [
      { title: 'evaluation' },
      { title: 'system' },
      { title: 'policy' },
      { title: 'questions' },
      { title: 'k', align: 'right' },
      { title: 'avg@k', align: 'right' },
      { title: '95 % interval' },
      { title: 'calls/answer', align: 'right' },
      { title: 'measured' },
    ],
    evaluations.map(
      ({ id, system, budget, policyVersion, dataset, questions, samples, metrics, intervals, createdAt }) => [
        id,
        systemLabel(system, budget),
        version(policyVersion),
        `${dataset.name} (${questions})`,
        String(samples),
        percent(metrics.average),
        intervals.average === undefined ? '' : intervals.average.map(percent).join(' to '),
        fixed(metrics.callsPerAnswer, 2),
        moment(createdAt),
      ],
    ),
  );
  return {
    data: { evaluations },
    text: [...lines, '', `look at one: npx metaagentx eval show ${evaluations.at(-1)!.id}`].join('\n'),
  };
}
