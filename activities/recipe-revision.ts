/**
 * Names what a run's document says of its recipe: which run it is, and every change. A store that lost its newest writes may
 * hold another change, or another run, in the place of a lost one: that has another name. Knows nothing of recipes.
 */
import { createHash } from 'node:crypto';
import type { Revision } from '../shared/domain/plan.ts';
import type { RunDocument } from './store/documents.ts';

type Revised = Pick<RunDocument, 'createdAt' | 'changes'>;

/** Of a document as it is stored. From which version on a change is in force is no part of it: a rollback moves that. */
export function revisionOf({ createdAt, changes = [] }: Revised): string {
  const told = [createdAt, ...changes.map(({ at, fields }) => ({ at, fields }))];
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}

/** Whether the run is as it was when it was named so. */
export function isAtRevision(run: Revised, revision: Revision | undefined): boolean {
  if (typeof revision === 'string') return revisionOf(run) === revision;
  return (run.changes?.length ?? 0) === (revision ?? 0);
}

/** Whether the run has been named so, before changes that have come since. */
export function hasHadRevision(run: Revised, revision: Revision | undefined): boolean {
  const { createdAt, changes = [] } = run;
  if (typeof revision !== 'string') return changes.length >= (revision ?? 0);
  return [...changes.keys(), changes.length].some(
    (count) => revisionOf({ createdAt, changes: changes.slice(0, count) }) === revision,
  );
}
