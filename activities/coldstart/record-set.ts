/**
 * A teacher's answers → examples for supervised fine-tuning. A design counts when it may run and an execution of it was
 * judged right; a call when its execution was right and its reply was whole. Equal examples are stored once.
 */
import { createHash } from 'node:crypto';
import type { RecordSetInput } from '../../shared/domain/collection-plan.ts';
import { collectionId, designIdOf } from '../../shared/domain/ids.ts';
import type { ChatMessage } from '../../shared/domain/sampling.ts';
import { DomainError } from '../../shared/errors.ts';
import { designerMessages } from '../../shared/script/designer-prompts.ts';
import type { RunContexts } from '../run-context.ts';
import type { Store } from '../store/connect.ts';
import type { RunDocument, SftExampleDocument } from '../store/documents.ts';
import { removeAll } from '../store/remove.ts';
import { insertAllOnce, insertOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';
import { costOfBatches } from '../systems/search-cost.ts';

type Example = Omit<Draft<SftExampleDocument>, '_id' | 'setId'>;
type Deps = { store: Store; runs: RunContexts };

const examplesPerWrite = 200;

export async function recordSet({ store, runs }: Deps, input: RecordSetInput): Promise<void> {
  const { runId, asked, questions } = input;
  const run = await runs.run(input);
  const { init } = run.recipe.policy;
  if (init.type !== 'endpoint') throw new DomainError('InvalidInput', `run '${runId}' has no endpoint to learn from`);
  const batchId = collectionId(runId);
  const leftOut = new Map<string, number>();
  const leave = (reason: string) => leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const found = [...(await designs(store, run, batchId, leave)), ...(await calls(store, batchId, leave))];
  const drafts = new Map<string, Draft<SftExampleDocument>>();
  for (const example of found) {
    const _id = `${runId}/${digestOf(example)}`;
    if (drafts.has(_id)) leave(`${example.role}: the same again`);
    else drafts.set(_id, { _id, setId: runId, ...example });
  }
  const all = [...drafts.values()];
  await removeOthers(store, runId, new Set(drafts.keys()));
  for (let from = 0; from < all.length; from += examplesPerWrite) {
    await insertAllOnce(store.sftExamples, all.slice(from, from + examplesPerWrite));
  }
  const of = (role: Example['role']) => all.filter((example) => example.role === role).length;
  await insertOnce(store.sftSets, {
    _id: runId,
    batchId,
    teacher: { url: init.url, model: init.model },
    dataset: run.datasets.train,
    promptForm: run.recipe.prompts.form,
    prompts: run.prompts,
    asked,
    questions,
    cost: await costOfBatches(store, [batchId]),
    examples: { designer: of('designer'), executor: of('executor') },
    leftOut: Object.fromEntries([...leftOut].sort(([a], [b]) => (a < b ? -1 : 1))),
  });
}

const digestOf = ({ role, messages, response }: Example) =>
  createHash('sha256')
    .update(JSON.stringify([role, messages, response]))
    .digest('hex')
    .slice(0, 24);

/** An example of an answer that was lost and asked for again is none of the set. */
async function removeOthers(store: Store, setId: string, ids: ReadonlySet<string>): Promise<void> {
  const stored = await store.sftExamples.find({ setId }, { projection: { _id: 1 } }).toArray();
  const others = stored.map(({ _id }) => _id).filter((id) => !ids.has(id));
  await removeAll(store.sftExamples, others);
}

/** Ids of executions whose answer was right. */
async function rightExecutions(store: Store, batchId: string): Promise<Set<string>> {
  const right = await store.verdicts.find({ batchId, 'verdict.correct': true }, { projection: { _id: 1 } }).toArray();
  return new Set(right.map(({ _id }) => _id));
}

async function designs(
  store: Store,
  { recipe, datasets }: RunDocument,
  batchId: string,
  leave: (reason: string) => void,
): Promise<Example[]> {
  const right = new Set([...(await rightExecutions(store, batchId))].map(designIdOf));
  const { form } = recipe.prompts;
  const texts = new Map(
    (await store.questions.find({ digest: datasets.train.digest }).toArray()).map(({ question }) => [
      question.id,
      question.text,
    ]),
  );
  const found = await store.designs.find({ batchId }).sort({ _id: 1 }).toArray();
  return found.flatMap(({ _id, question, outcome, reply }) => {
    if (outcome !== 'valid') return (leave(`designer: ${outcome}`), []);
    if (!right.has(_id)) return (leave('designer: answer not right'), []);
    const messages: ChatMessage[] = designerMessages(texts.get(question)!, form, recipe.designs.tools);
    return [{ role: 'designer' as const, question, source: _id, messages, response: reply }];
  });
}

async function calls(store: Store, batchId: string, leave: (reason: string) => void): Promise<Example[]> {
  const right = await rightExecutions(store, batchId);
  const executions = await store.executions.find({ batchId }, { projection: { question: 1 } }).toArray();
  const questions = new Map(executions.map(({ _id, question }) => [_id, question]));
  const found = await store.calls.find({ batchId, kind: 'model' }).sort({ _id: 1 }).toArray();
  return found.flatMap(({ _id, executionId, messages, answer }) => {
    if (!right.has(executionId)) return (leave('executor: answer not right'), []);
    if (messages === null || answer.status !== 'ok' || answer.text === '')
      return (leave('executor: reply not whole'), []);
    return [
      {
        role: 'executor' as const,
        question: questions.get(executionId)!,
        source: _id,
        messages: messages as ChatMessage[],
        response: answer.text,
      },
    ];
  });
}
