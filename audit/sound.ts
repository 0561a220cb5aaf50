/**
 * Documents that have their form, one after another; the others are reported and left out. The forms are the only thing
 * besides ids and errors that the auditor shares with what it audits: they say what a document is, and do nothing.
 */
import type { Collection, Document, Filter, WithId } from 'mongodb';
import type { Collections } from '../activities/store/collections.ts';
import { checksOf } from '../activities/store/forms/check.ts';
import type { DocumentCheck, Misfit } from '../activities/store/forms/check.ts';
import { forms } from '../activities/store/forms/forms.ts';
import type { Findings } from './report.ts';

const whole = new Map<string, DocumentCheck>(
  Object.entries(forms).map(([name, form]) => [name, checksOf(form)()] as const),
);

export const misfitOf = (collection: keyof Collections, document: Document): Misfit | null =>
  whole.get(collection)!(document);

export async function* soundOnes<Doc extends Document>(
  collection: Collection<Doc>,
  findings: Findings,
  filter: Filter<Doc>,
): AsyncGenerator<WithId<Doc>> {
  const name = collection.collectionName as keyof Collections;
  for await (const document of collection.find(filter)) {
    const misfit = misfitOf(name, document);
    findings.holds(misfit === null, 'documents', `${forms[name].noun} ${String(document._id)}`, () =>
      misfit!.kind === 'newer' ? `was written by a newer program (${misfit!.why})` : `is broken: ${misfit!.why}`,
    );
    if (misfit === null) yield document;
  }
}

export async function readSound<Doc extends Document>(
  collection: Collection<Doc>,
  findings: Findings,
  filter: Filter<Doc>,
): Promise<WithId<Doc>[]> {
  const found: WithId<Doc>[] = [];
  for await (const document of soundOnes(collection, findings, filter)) found.push(document);
  return found;
}
