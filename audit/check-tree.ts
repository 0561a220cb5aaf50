/**
 * Exactly once: what a batch's tree must hold, compared with what it holds. A batch that is still open may lack things;
 * what it has must have its place.
 */
import { designId, executionId } from '../shared/domain/ids.ts';
import { checkJournal } from './check-journal.ts';
import { checkCredits } from './check-credits.ts';
import { checkVerdict } from './check-verdict.ts';
import type { RunDocument } from '../activities/store/documents.ts';
import type { Question } from '../shared/domain/question.ts';
import type { CheckName, Findings } from './report.ts';
import { rolloutsOf } from './tree.ts';
import type { Tree } from './tree.ts';

export interface TreeContext {
  run: RunDocument;
  findings: Findings;
  /** By slot; undefined where the batch's record does not name its questions. */
  questions: readonly (Question | undefined)[];
  /** True for a batch whose record exists: nothing may be missing. */
  complete: boolean;
}

export function checkTree(context: TreeContext, tree: Tree): void {
  const { findings, run, questions, complete } = context;
  const { batch } = tree;
  const expectedDesigns = new Set<string>();
  const expectedExecutions = new Set<string>();
  rolloutsOf(batch).forEach((rollout, slot) => {
    for (let number = 0; number < batch.designs; number++) {
      const id = designId(rollout, number);
      expectedDesigns.add(id);
      const design = tree.designs.get(id);
      if (design === undefined) continue;
      checkQuestion(context, 'designs', id, design.question, slot);
      const isValid = design.outcome === 'valid';
      if (isValid && design.script === null) findings.found('designs', id, 'is valid and has no script');
      if (!isValid) continue;
      for (let execution = 0; execution < batch.executions; execution++)
        expectedExecutions.add(executionId(id, execution));
    }
  });
  const exactly = (check: CheckName, wanted: ReadonlySet<string>, there: ReadonlyMap<string, unknown>) =>
    compare(findings, check, wanted, there, complete);
  exactly('designs', expectedDesigns, tree.designs);
  exactly('executions', expectedExecutions, tree.executions);
  const judged = complete
    ? expectedExecutions
    : new Set([...tree.verdicts.keys()].filter((id) => tree.executions.has(id)));
  exactly('verdicts', judged, tree.verdicts);
  for (const execution of tree.executions.values()) {
    const slot = slotOf(execution.rolloutId);
    checkQuestion(context, 'executions', execution._id, execution.question, slot);
    if (execution.policyVersion !== batch.policyVersion) {
      findings.found(
        'executions',
        execution._id,
        `ran on v${execution.policyVersion}: expected v${batch.policyVersion}`,
      );
    }
    checkJournal(findings, execution, tree.calls.get(execution._id) ?? []);
    const verdict = tree.verdicts.get(execution._id);
    if (verdict !== undefined) checkVerdict(findings, run, execution, verdict, questions[slot]);
  }
  for (const [id, calls] of tree.calls) {
    if (tree.executions.has(id)) continue;
    if (id.endsWith('/aside')) {
      findings.note(`${calls.length} calls of a journal that did not fit its script were set aside (${id})`);
      continue;
    }
    if (complete) findings.found('calls', id, `has ${calls.length} journaled calls and no execution`);
    else if (!expectedExecutions.has(id)) findings.found('calls', id, 'has journaled calls and no place in the plan');
  }
  checkCredits(findings, run, tree, complete);
}

const slotOf = (rollout: string) => Number(/\/q-(\d+)$/.exec(rollout)?.[1] ?? -1);

function checkQuestion({ questions, findings }: TreeContext, check: CheckName, id: string, said: string, slot: number) {
  const question = questions[slot];
  if (question !== undefined && question.id !== said) {
    findings.found(check, id, `answers question '${said}': expected '${question.id}'`);
  }
}

/** Ids are unique in a collection, so "exactly once" is: all that are wanted, and no others. */
export function compare(
  findings: Findings,
  check: CheckName,
  wanted: ReadonlySet<string>,
  there: ReadonlyMap<string, unknown>,
  complete: boolean,
): void {
  findings.saw(check, there.size);
  if (complete) for (const id of wanted) if (!there.has(id)) findings.found(check, id, 'is missing');
  for (const id of there.keys()) if (!wanted.has(id)) findings.found(check, id, 'has no place in the plan');
}
