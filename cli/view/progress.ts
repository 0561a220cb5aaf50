/** A run's progress as a block of lines for a terminal, and as one plain line for a log. */
import { policyVersionName } from '../../shared/domain/ids.ts';
import type { OpenQuestion } from '../../shared/domain/decision.ts';
import type { Progress } from '../../shared/domain/plan.ts';
import { bar, sparkline } from './bars.ts';
import { compact, duration, fixed, percent } from './numbers.ts';
import type { Pace } from '../pace.ts';
import type { Paint } from './paint.ts';

/** What a watcher knows of a run. */
export interface RunView {
  progress: Progress;
  /** Mean reward of each committed iteration, oldest first. */
  rewards: readonly number[];
  /** Sampled tokens of all committed iterations. */
  tokens: number;
  pace: Pace;
  /** k of avg@k. */
  samples: number;
  elapsedMs: number;
  /** Address of the run's page, where one is served. */
  page: string | null;
  /** Why nothing moves, or null. */
  notice: string | null;
}

const phaseWords: Record<Progress['phase'], string> = {
  starting: 'making the initial policy',
  'cold-start': 'cold start: learning the language from examples',
  training: 'training',
  evaluating: 'evaluating on held-out questions',
  paused: 'paused',
  undecided: 'waiting for a decision',
  stopping: 'stopping after this iteration',
  finished: 'finished',
};

export function progressBlock(view: RunView, paint: Paint): string[] {
  const { progress, rewards, notice } = view;
  const lines = [
    `${paint.bold(progress.runId)}  ${paint.cyan(phaseWords[progress.phase])}  ${paint.dim(duration(view.elapsedMs))}`,
    stageLine(progress),
  ];
  if (rewards.length > 0) {
    lines.push(
      `  reward    ${paint.green(sparkline(rewards))}  ${fixed(rewards.at(-1))} (newest of ${rewards.length})`,
    );
  }
  const evaluations = Object.entries(progress.evaluations);
  if (evaluations.length > 0) {
    const shown = evaluations.slice(-4).map(([name, average]) => `${name} ${paint.bold(percent(average))}`);
    lines.push(`  avg@${view.samples}     ${shown.join(' · ')}`);
  }
  lines.push(`  policy    ${versionOf(progress)}`);
  if (view.tokens > 0) lines.push(`  tokens    ${tokensText(view)}`);
  const left = leftText(view);
  if (left !== null) lines.push(`  to go     ${left}`);
  if (view.page !== null) lines.push(`  look at   ${view.page}`);
  if (progress.question != null) lines.push(...questionLines(progress.runId, progress.question).map(paint.yellow));
  if (notice !== null) lines.push(paint.yellow(`  ${notice}`));
  return lines;
}

function tokensText({ tokens, pace: { tokensPerSecond } }: RunView): string {
  const speed = tokensPerSecond === null ? '' : `, ${compact(tokensPerSecond)} tokens/s in the newest iteration`;
  return `${compact(tokens)} sampled${speed}`;
}

/** Null where the run does not move, or nothing can be said yet. */
function leftText({ progress, pace: { etaMs }, notice }: RunView): string | null {
  const moves = progress.phase === 'training' || progress.phase === 'evaluating';
  return !moves || etaMs === null || notice !== null ? null : `about ${duration(etaMs)}`;
}

const questionLines = (runId: string, { about, failure, choices }: OpenQuestion) => [
  `  ${about}: ${failure}`,
  `  decide with: npx metaagentx decide ${runId} ${choices.join('|')}`,
];

const versionOf = ({ policyVersion }: Progress) =>
  policyVersion === null ? 'none yet' : policyVersionName(policyVersion);

function stageLine(progress: Progress): string {
  const { phase, stage, stages, learner, iteration, iterations } = progress;
  if (stage === null) {
    return iteration === null || iterations === null || phase !== 'cold-start'
      ? `  stages    ${stages} to come`
      : `  chunk     ${bar(iteration - 1, iterations)}  ${iteration}/${iterations}`;
  }
  return `  stage ${stage}/${stages} ${bar(iteration ?? 0, iterations ?? 0)}  iteration ${iteration ?? 0}/${iterations ?? 0} · ${learner === 'both' ? 'both roles learn' : `the ${learner} learns`}`;
}

/** One line for a log; equal facts give equal lines, so that a watcher prints changes only. */
export function progressLine({ progress, samples }: Pick<RunView, 'progress' | 'samples'>): string {
  const { phase, stage, stages, learner, iteration, iterations, meanReward } = progress;
  const evaluations = Object.entries(progress.evaluations);
  const newest = evaluations.at(-1);
  const parts = [
    phase,
    phase === 'cold-start' && iteration !== null ? `chunk ${iteration}/${iterations ?? 0}` : null,
    phase !== 'cold-start' && stage !== null
      ? `stage ${stage}/${stages} (${learner}) iteration ${iteration ?? 0}/${iterations ?? 0}`
      : null,
    progress.policyVersion === null ? null : policyVersionName(progress.policyVersion),
    meanReward === null ? null : `reward ${fixed(meanReward)}`,
    newest === undefined ? null : `avg@${samples} ${newest[0]} ${percent(newest[1])}`,
  ];
  return `${progress.runId}  ${parts.filter((part) => part !== null).join(' · ')}`;
}
