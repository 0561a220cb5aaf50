/** Where a run comes from, which runs come from it, and what happened to its recipe on the way. */
import type { RunDocument } from '../../activities/store/documents.ts';
import { policyVersionName } from '../../shared/domain/ids.ts';
import { moment } from '../view/numbers.ts';
import { renderFacts } from '../view/table.ts';
import type { InspectContext } from './inspection.ts';

export async function lineageLines({ store, run }: Pick<InspectContext, 'store' | 'run'>): Promise<string[]> {
  const { sound: forks } = await store.runs.findSound(
    { 'forkedFrom.runId': run._id },
    { projection: { forkedFrom: 1 }, sort: { _id: 1 } },
  );
  const ancestors: string[] = [];
  const met = new Set([run._id]);
  for (let each: RunDocument | null = run; each?.forkedFrom !== undefined;) {
    ancestors.push(originOf(each));
    const runId: string = each.forkedFrom.runId;
    each = met.has(runId) ? null : await store.runs.findOne({ _id: runId });
    met.add(runId);
  }
  return renderFacts([
    ['forked from', ancestors.length === 0 ? null : ancestors.join(' ← ')],
    [
      'forks',
      forks.length === 0 ? null : forks.map((fork) => `${fork._id} (of v${fork.forkedFrom!.version})`).join(', '),
    ],
    ...(run.changes ?? []).map(({ at, fromVersion, fields }): [string, string] => [
      'changed',
      `${moment(at)}, from ${fromVersion === null ? 'the beginning' : policyVersionName(fromVersion)}: ${fields
        .map(({ path, before, after }) => `${path} ${JSON.stringify(before)} → ${JSON.stringify(after)}`)
        .join(', ')}`,
    ]),
    ...(run.decisions ?? []).map(({ at, about, failure, decision }): [string, string] => [
      'decided',
      `${moment(at)}, ${about}: ${decision.choice}${decision.choice === 'lower-rate' ? ` × ${decision.factor}` : ''} (${failure})`,
    ]),
    ...(run.rollbacks ?? []).map(({ at, to, losses }): [string, string] => [
      'rolled back',
      `${moment(at)}, to ${to === null ? 'the beginning' : policyVersionName(to)}: the store had lost ${losses.join('; ')}`,
    ]),
  ]);
}

/** `base@v12 (update.learningRate=1e-4)` */
function originOf({ forkedFrom }: RunDocument): string {
  const { runId, version, set } = forkedFrom!;
  return `${runId}@v${version}${set.length === 0 ? '' : ` (${set.join(', ')})`}`;
}
