/**
 * Which training questions a batch without a record asked, by what its designs name: its verdicts are judged by them. What
 * somebody asked by hand has no known answer, and nobody may have judged it.
 */
import type { Question } from '../shared/domain/question.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Database } from './database.ts';
import type { Findings } from './report.ts';
import { readSound } from './sound.ts';
import { rolloutsOf } from './tree.ts';
import type { Tree } from './tree.ts';

/** Below the run's id. */
const ofTraining = /^\/(collection|search-[^/]+\/[ct]-\d+)$/;
const byHand = /^\/solve-/;
const ofCandidate = /\/c-\d+$/;

export class AskedQuestions {
  readonly #db: Database;
  readonly #findings: Findings;
  readonly #run: RunDocument;
  readonly #byId = new Map<string, Question | undefined>();
  /** By search: what its first candidate was asked. */
  readonly #ofCandidates = new Map<string, (string | undefined)[]>();

  constructor(db: Database, findings: Findings, run: RunDocument) {
    this.#db = db;
    this.#findings = findings;
    this.#run = run;
  }

  /** By slot; undefined where they are not known. */
  async of(tree: Tree): Promise<(Question | undefined)[]> {
    const { id } = tree.batch;
    const path = id.slice(this.#run._id.length);
    if (byHand.test(path)) {
      for (const verdict of tree.verdicts.keys())
        this.#findings.found('verdicts', verdict, 'judges an answer to a question that somebody asked');
    }
    if (!ofTraining.test(path)) return [];
    const named = namesIn(tree);
    if (ofCandidate.test(path)) this.#checkCandidate(id, named);
    await this.#read(named);
    return named.map((name, slot) => {
      if (name === undefined) return undefined;
      const question = this.#byId.get(name);
      this.#findings.holds(question !== undefined, 'questions', rolloutsOf(tree.batch)[slot]!, () => {
        return `asks '${name}', which is not among the training questions`;
      });
      return question;
    });
  }

  /** All candidates of a search answer the same questions, each once. */
  #checkCandidate(id: string, named: readonly (string | undefined)[]): void {
    const search = id.replace(ofCandidate, '');
    const first = this.#ofCandidates.get(search) ?? [...named];
    this.#ofCandidates.set(search, first);
    const seen = new Set<string>();
    for (const [slot, name] of named.entries()) {
      if (name === undefined) continue;
      const wanted = (first[slot] ??= name);
      const isRight = name === wanted && !seen.has(name);
      this.#findings.holds(isRight, 'questions', id, () =>
        name === wanted
          ? `asks '${name}' again`
          : `asks '${name}' in slot ${slot}: other candidates were asked '${wanted}'`,
      );
      seen.add(name);
    }
  }

  async #read(named: readonly (string | undefined)[]): Promise<void> {
    const unread = named.filter((name) => name !== undefined && !this.#byId.has(name)) as string[];
    if (unread.length === 0) return;
    const { digest } = this.#run.datasets.train;
    const asked = { digest, 'question.id': { $in: unread } };
    for (const name of unread) this.#byId.set(name, undefined);
    for (const { question } of await readSound(this.#db.questions, this.#findings, asked))
      this.#byId.set(question.id, question);
  }
}

/** By slot, the question that its first design names. */
function namesIn({ batch, designs }: Tree): (string | undefined)[] {
  const byRollout = new Map<string, string>();
  const ordered = [...designs.values()].sort((a, b) => a.design - b.design);
  for (const { rolloutId, question } of ordered) if (!byRollout.has(rolloutId)) byRollout.set(rolloutId, question);
  return rolloutsOf(batch).map((rollout) => byRollout.get(rollout));
}
