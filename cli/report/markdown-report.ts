/** A run's report as Markdown. What models wrote stands in fences longer than any inside it, or as one escaped line. */
import { visible } from '../dashboard/html.ts';
import { tokensPerSecond } from '../dashboard/read/run-data.ts';
import type { IterationRow } from '../dashboard/read/run-data.ts';
import { sparkline } from '../view/bars.ts';
import { clip, counted, duration, fixed, moment, percent, version } from '../view/numbers.ts';
import type { ReportData } from './report-data.ts';
import type { QuestionSamples } from './sample-designs.ts';

/** One line of text that Markdown takes for nothing else. */
const plain = (text: string) => visible(clip(text, 200)).replace(/[\\`*_[\]<>|~&$]/g, '\\$&');

function fenced(text: string, language = ''): string {
  const shown = visible(text);
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** Cells are Markdown already. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

export function markdownReport(data: ReportData, program: string): string {
  const { run, evaluations, samples } = data;
  const { train, heldOut } = run.datasets;
  const took =
    run.finishedAt === undefined ? '' : `, took ${duration(run.finishedAt.getTime() - run.createdAt.getTime())}`;
  const dataset = ({ name, count, digest }: typeof train) =>
    `${plain(name)}, ${counted(count, 'question')}, \`${digest}\``;
  return [
    `# ${run._id}: ${run.status}`,
    plain(run.recipe.description),
    [
      `- recipe \`${plain(run.recipe.name)}\`, seed ${run.recipe.seed}`,
      `- started ${moment(run.createdAt)}${took}`,
      `- program ${plain(run.codeVersion)}; report by ${program}`,
      `- train: ${dataset(train)}`,
      `- held out: ${dataset(heldOut)}`,
      ...Object.entries(run.environment ?? {}).map(([name, value]) => `- ${plain(name)}: ${plain(value)}`),
      ...(run.failure === undefined ? [] : [`- failure: **${plain(run.failure.name)}** ${plain(run.failure.message)}`]),
    ].join('\n'),
    '## Held-out evaluations',
    table(
      ['evaluation', 'policy', 'avg@k', '95 % interval', 'k', 'questions', 'valid designs'],
      evaluations.map(({ name, policyVersion, metrics, intervals, samples: k, questions }) => [
        plain(name),
        version(policyVersion),
        percent(metrics.average),
        intervals.average === undefined ? '–' : `${percent(intervals.average[0])} – ${percent(intervals.average[1])}`,
        String(k),
        String(questions),
        percent(metrics.validDesigns),
      ]),
    ),
    '## Stages',
    stages(data),
    '## Designs before and after each stage',
    samples.length === 0 ? 'Fewer than two evaluations: nothing to compare.' : samples.map(question).join('\n\n'),
    '## Configuration',
    fenced(JSON.stringify(run.recipe, null, 2), 'json'),
  ].join('\n\n');
}

function stages({ run, stages: records, iterations }: ReportData): string {
  return table(
    ['stage', 'learns', 'iterations', 'policy', 'mean reward', '', 'tokens/s'],
    run.plan.stages.map(({ stage, learner, iterations: planned }) => {
      const own = iterations.filter((each) => each.stage === stage);
      const record = records.find((each) => each.stage === stage);
      const rewards = own.map(({ metrics }) => metrics.meanReward ?? 0);
      return [
        String(stage),
        learner,
        `${own.length}/${planned}`,
        record === undefined ? 'not started' : `${version(record.policyIn)} → ${version(record.policyOut)}`,
        own.length === 0 ? '–' : `${fixed(rewards[0])} → ${fixed(rewards.at(-1))}`,
        sparkline(rewards, 30),
        meanSpeed(own),
      ];
    }),
  );
}

function meanSpeed(rows: readonly IterationRow[]): string {
  const known = rows.map(tokensPerSecond).filter((speed) => speed !== null);
  return known.length === 0 ? '–' : String(Math.round(known.reduce((sum, speed) => sum + speed, 0) / known.length));
}

const question = ({ text, before, after, samples, designs }: QuestionSamples): string =>
  [
    `### ${before} → ${after} of ${samples} right`,
    fenced(text),
    ...designs.flatMap(({ evaluation, policyVersion, outcome, pattern, script, answer, correct }) => [
      `${plain(evaluation)} (${version(policyVersion)}): ${outcome === 'valid' ? plain(pattern ?? 'plain') : outcome}${
        answer === null
          ? ''
          : `, answer ${plain(answer)} (${correct === null ? 'not judged' : correct ? 'right' : 'wrong'})`
      }`,
      ...(script === null ? [] : [fenced(script, 'js')]),
    ]),
  ].join('\n\n');
