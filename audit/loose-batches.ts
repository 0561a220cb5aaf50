/**
 * Batches that no plan and no record announces: questions that somebody asked, what a search tried, a teacher's answers,
 * an evaluation that runs or was given up. Their shape is taken from their designs, so all that is checked is what hangs
 * on them, and what `asked-questions.ts` knows of what they asked.
 */
import { below } from './database.ts';
import type { Database } from './database.ts';
import type { ExpectedBatch } from './expected.ts';

const designOf = /^\/((?:collection|eval-[^/]+|solve-[^/]+|search-[^/]+\/[ct]-\d+))\/q-(\d+)\/d-(\d+)$/;

/** `known`: ids of the batches that are checked by their plan or record. */
export async function looseBatches(db: Database, runId: string, known: ReadonlySet<string>): Promise<ExpectedBatch[]> {
  const batches = new Map<string, ExpectedBatch>();
  const designs = db.designs.find(below(runId), { projection: { policyVersion: 1 } });
  for await (const { _id, policyVersion } of designs) {
    const [, path, slot, design] = designOf.exec(_id.slice(runId.length)) ?? [];
    const id = `${runId}/${path}`;
    if (path === undefined || known.has(id)) continue;
    const batch = batches.get(id) ?? { id, ...empty, policyVersion };
    batch.questions = Math.max(batch.questions, Number(slot) + 1);
    batch.designs = Math.max(batch.designs, Number(design) + 1);
    batches.set(id, batch);
  }
  return [...batches.values()];
}

/** Nobody learns from such a batch: it has no credits. */
const empty = { purpose: 'evaluation', designs: 0, executions: 1, questions: 0 } as const;
