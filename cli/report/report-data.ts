/** Everything that a run's report says, as one JSON object; its HTML and Markdown forms are made from the same reading. */
import type { Store } from '../../activities/store/connect.ts';
import { readRunData, tokensPerSecond } from '../dashboard/read/run-data.ts';
import type { RunData } from '../dashboard/read/run-data.ts';
import { readSampleDesigns } from './sample-designs.ts';
import type { QuestionSamples } from './sample-designs.ts';

export interface ReportData extends RunData {
  samples: QuestionSamples[];
}

/** Throws `RunNotFound`. */
export async function readReportData(store: Store, runId: string): Promise<ReportData> {
  const data = await readRunData(store, runId);
  return { ...data, samples: await readSampleDesigns(store, data.run) };
}

/** Raised when a field's meaning changes. */
const reportForm = 1;

export function reportJson({ run, stages, iterations, evaluations, samples }: ReportData): Record<string, unknown> {
  const {
    _id: runId,
    status,
    codeVersion,
    environment,
    datasets,
    recipe,
    prompts,
    failure,
    createdAt,
    finishedAt,
  } = run;
  return {
    form: reportForm,
    runId,
    status,
    createdAt,
    finishedAt: finishedAt ?? null,
    failure: failure ?? null,
    codeVersion,
    environment: environment ?? null,
    datasets,
    recipe,
    prompts,
    stages: run.plan.stages.map((planned) => {
      const record = stages.find(({ stage }) => stage === planned.stage);
      return { ...planned, policyIn: record?.policyIn ?? null, policyOut: record?.policyOut ?? null };
    }),
    iterations: iterations.map((row) => ({
      id: row._id,
      stage: row.stage,
      iteration: row.iteration,
      learner: row.learner,
      policyIn: row.policyIn,
      policyOut: row.policyOut,
      metrics: row.metrics,
      tokensPerSecond: tokensPerSecond(row),
      patterns: row.facts?.patterns ?? null,
    })),
    evaluations: evaluations.map(
      ({ _id, name, system, policyVersion, dataset, questions, metrics, intervals, ...rest }) => ({
        id: _id,
        name,
        system,
        policyVersion,
        dataset,
        samples: rest.samples,
        questions,
        metrics,
        intervals,
      }),
    ),
    sampleDesigns: samples,
  };
}
