/** A study as one JSON object, as its table, as CSV, and as the files that it leaves for a figure. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../activities/store/connect.ts';
import type { StudyDocument } from '../../activities/store/documents.ts';
import { readCells, readCurves } from '../../activities/study/record-study.ts';
import { studyLosses } from '../../activities/study/study-losses.ts';
import { cellsCsv, curvesCsv, studyMarkdown, studyRows } from '../../shared/evaluation/study-table.ts';
import type { StudyCell } from '../../shared/evaluation/study-table.ts';
import type { CommandResult } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { counted } from '../view/numbers.ts';

export const studyCsvKinds = ['cells', 'curves'] as const;
export type StudyCsvKind = (typeof studyCsvKinds)[number];

/** Of an unfinished study, what there is so far; of a finished one also what its table rested on and is no more, with exit code 1. */
export async function studyResult(store: Store, found: StudyDocument, csv?: StudyCsvKind): Promise<CommandResult> {
  const cells = await cellsOf(store, found);
  const rows = studyRows(cells);
  const losses = found.status === 'finished' ? await studyLosses(store, found) : [];
  const data = { studyId: found._id, status: found.status, study: found.study, rows, cells, losses };
  const exitCode = losses.length === 0 ? exitCodes.ok : exitCodes.failure;
  if (csv === 'cells') return { data, exitCode, text: cellsCsv(cells) };
  if (csv === 'curves') return { data, exitCode, text: curvesCsv(await readCurves(store, found.plan.cells)) };
  const failed = cells.filter(({ status }) => status === 'failed');
  const title = found.status === 'finished' ? '' : `${failed.length} of ${counted(cells.length, 'cell')} to come\n\n`;
  const reasons = found.status === 'finished' ? failed.map(({ runId, failure }) => `${runId}: ${failure ?? ''}`) : [];
  return { data, exitCode, text: [title + studyMarkdown(rows), ...reasons, ...lossLines(losses)].join('\n') };
}

function lossLines(losses: readonly string[]): string[] {
  if (losses.length === 0) return [];
  return ['', 'the table is as it was recorded; of what it rests on,', ...losses.map((loss) => `  ${loss}`)];
}

const cellsOf = (store: Store, { status, cells, plan }: StudyDocument): Promise<StudyCell[]> =>
  status === 'finished' ? Promise.resolve(cells) : readCells(store, plan.cells, {});

/** Writes `NAME.md`, `NAME-cells.csv` and `NAME-curves.csv`; returns their paths. */
export async function writeStudyFiles(store: Store, found: StudyDocument, out: string): Promise<string[]> {
  await mkdir(out, { recursive: true });
  const cells = await cellsOf(store, found);
  const files = {
    [`${found._id}.md`]: `# ${found._id}\n\n${found.study.description}\n\n${studyMarkdown(studyRows(cells))}\n`,
    [`${found._id}-cells.csv`]: cellsCsv(cells),
    [`${found._id}-curves.csv`]: curvesCsv(await readCurves(store, found.plan.cells)),
  };
  return Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const path = join(out, name);
      await writeFile(path, text);
      return path;
    }),
  );
}
