/**
 * Loads a questions file for a run: every line checked, ids unique, digest over the canonical content (so that white
 * space and key order do not matter, while order of questions does).
 */
import { createHash } from 'node:crypto';
import { DomainError } from '../../shared/errors.ts';
import type { Question } from '../../shared/domain/question.ts';
import { parseQuestionLine } from '../../shared/questions/jsonl.ts';
import { refuse } from '../../shared/questions/record.ts';
import { questionLine } from '../../shared/questions/written.ts';
import { readLines } from './read-lines.ts';
import { readProvenance } from './provenance.ts';
import type { Provenance } from './provenance.ts';

export interface LoadedQuestions {
  questions: Question[];
  /** SHA-256 (hex) of the canonical lines, each ended by a newline. */
  digest: string;
  provenance: Provenance;
}

/** Throws `InvalidInput` for an unreadable, non-UTF-8 or empty file, a malformed line or a duplicate id. */
export async function loadQuestionsFile(path: string): Promise<LoadedQuestions> {
  const questions: Question[] = [];
  const firstLine = new Map<string, number>();
  const hash = createHash('sha256');
  for await (const [line, number] of readLines(path)) {
    if (line.trim() === '') continue;
    const question = parseQuestionLine(line, path, number);
    const earlier = firstLine.get(question.id);
    if (earlier !== undefined) {
      refuse(
        { file: path, line: number },
        'id',
        `'${question.id}' is already the id of line ${earlier}; ids must be unique`,
      );
    }
    firstLine.set(question.id, number);
    questions.push(question);
    hash.update(`${questionLine(question)}\n`);
  }
  if (questions.length === 0) {
    throw new DomainError('InvalidInput', `'${path}' holds no question: expected one JSON object a line`, { path });
  }
  return { questions, digest: hash.digest('hex'), provenance: await readProvenance(path) };
}
