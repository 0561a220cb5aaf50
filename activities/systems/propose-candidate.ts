/**
 * The next script of a search: what the strategy says, made by the frozen policy or by program, checked like any design.
 * Stored once; a retry finds it. The system that answers with it follows from the stored candidate: a policy that is asked
 * twice may write two scripts.
 */
import { candidateId, seedKeyOf } from '../../shared/domain/ids.ts';
import type { ChatMessage } from '../../shared/domain/sampling.ts';
import type { ProposeCandidateResult, SearchRound } from '../../shared/domain/search-plan.ts';
import type { ModelCost } from '../../shared/domain/usage.ts';
import { DomainError } from '../../shared/errors.ts';
import { createStream } from '../../shared/random.ts';
import { designerMessages } from '../../shared/script/designer-prompts.ts';
import { editScript, promptsIn } from '../../shared/systems/edits.ts';
import { searchStrategyOf } from '../../shared/systems/registry.ts';
import { rewriteMessages } from '../../shared/systems/rewrite-prompt.ts';
import { proposalAt } from '../../shared/systems/search.ts';
import type { Candidate, Proposal } from '../../shared/systems/search.ts';
import { samplingOf } from '../rollout/context.ts';
import type { RolloutDeps } from '../rollout/context.ts';
import { judgeDesign, judgeScript } from '../rollout/judge-design.ts';
import type { JudgedDesign } from '../rollout/judge-design.ts';
import { withSpeaker } from '../rollout/speaker.ts';
import type { Store } from '../store/connect.ts';
import type { CandidateDocument, RunDocument, SearchDocument } from '../store/documents.ts';
import { insertOnce } from '../store/write.ts';
import type { Draft } from '../store/write.ts';
import { readCandidate, readCandidates, readSearch } from './read-search.ts';
import { noCost } from './search-cost.ts';

interface Proposing {
  id: string;
  search: SearchDocument;
  run: RunDocument;
  earlier: readonly Candidate[];
  seedKey: string;
  signal: AbortSignal;
}

interface Made extends JudgedDesign {
  reply: string;
  cost: ModelCost;
}

export async function proposeCandidate(
  deps: RolloutDeps,
  asked: SearchRound,
  signal: AbortSignal,
): Promise<ProposeCandidateResult> {
  const { store } = deps;
  const { searchId, round } = asked;
  const id = candidateId(searchId, round);
  const search = await readSearch(store, searchId);
  if ((await store.candidates.findOne({ _id: id }, { projection: { _id: 1 } })) === null) {
    await insertOnce<CandidateDocument>(store.candidates, await propose(deps, search, asked, signal));
  }
  // Another attempt may have been first, with another script.
  const standing = await readCandidate(store, id);
  if (isNew(standing)) await storeSystem(store, search, standing);
  return { isNew: isNew(standing) };
}

/** The system that answers with the candidate's script; one that a lost candidate left behind has another. */
async function storeSystem(
  store: Store,
  { runId, system, budget }: SearchDocument,
  { _id, script }: CandidateDocument,
): Promise<void> {
  const source = { type: 'script', script: script! } as const;
  const isStored = await insertOnce(store.systems, { _id, runId, system, source, budget });
  if (!isStored) await store.systems.updateOne({ _id }, { $set: { source } });
}

async function propose(
  deps: RolloutDeps,
  search: SearchDocument,
  { searchId, round, revision }: SearchRound,
  signal: AbortSignal,
): Promise<Draft<CandidateDocument>> {
  const { store } = deps;
  const { runId } = search;
  const id = candidateId(searchId, round);
  const [run, earlier] = await Promise.all([
    deps.runs.run({ runId, revision }),
    readCandidates(store, searchId, round),
  ]);
  const seedKey = seedKeyOf(run.recipe.seed, runId, id);
  const strategy = searchStrategyOf(search.system);
  const proposal = proposalAt(strategy, earlier, run.recipe.prompts.form, seedKey);
  const made = await make(deps, { id, search, run, earlier, seedKey, signal }, proposal);
  const { script, outcome, problem, reply, cost } = made;
  const same = earlier.find((candidate) => candidate.script === script);
  const refusal = outcome === 'valid' ? null : `${outcome}${problem === null ? '' : `: ${problem.message}`}`;
  return {
    _id: id,
    runId,
    searchId,
    number: round,
    parent: 'parent' in proposal ? proposal.parent : null,
    origin: proposal.type,
    reply,
    script,
    refusal,
    cost,
    sameAs: same?.number ?? null,
    // A refused script is worth nothing; one that was tried before is worth what it was.
    score: refusal !== null ? 0 : (same?.score ?? null),
    answerCost: noCost,
  };
}

const isNew = ({ refusal, sameAs }: Pick<CandidateDocument, 'refusal' | 'sameAs'>) =>
  refusal === null && sameAs === null;

async function make(deps: RolloutDeps, proposing: Proposing, proposal: Proposal): Promise<Made> {
  const { earlier, run, seedKey } = proposing;
  if (proposal.type === 'given') return judged(deps, proposing, proposal.script);
  if (proposal.type === 'edit') {
    const vocabulary = [...new Set(earlier.flatMap(({ script }) => (script === null ? [] : promptsIn(script))))];
    const parent = earlier[proposal.parent]!.script!;
    return judged(deps, proposing, editScript(parent, vocabulary, `${seedKey}/edit`));
  }
  const { form } = run.recipe.prompts;
  const { tools } = run.recipe.designs;
  if (proposal.type === 'sample') {
    const question = await aQuestion(deps, proposing);
    return ask(deps, proposing, () => designerMessages(question, form, tools));
  }
  const parent = proposal.parent === null ? null : earlier[proposal.parent]!;
  const shown = proposal.shown.map((number) => earlier[number]!);
  return ask(deps, proposing, (skip) => rewriteMessages({ parent, shown: shown.slice(skip), tools }), shown.length);
}

async function judged(deps: RolloutDeps, { run, signal }: Proposing, script: string): Promise<Made> {
  const found = await judgeScript(deps.scripts, { script, question: sampleQuestion, recipe: run.recipe, signal });
  return { ...found, reply: script, cost: noCost };
}

/** For dry runs only: a script of a search is for any question. */
const sampleQuestion = 'What is 2 + 2?';

async function aQuestion(deps: RolloutDeps, { search, run, seedKey }: Proposing): Promise<string> {
  const index = createStream(`${seedKey}/question`).integer(0, run.datasets.train.count);
  const digest = run.datasets.train.digest;
  const question = await deps.runs.question({ runId: search.runId, purpose: 'train', dataset: digest }, index);
  return question.text;
}

/** One call of the policy. `messages(skip)` leaves out the oldest `skip` of what is shown, until the prompt fits. */
async function ask(
  deps: RolloutDeps,
  { search, run, seedKey, signal }: Proposing,
  messages: (skip: number) => ChatMessage[],
  mostSkipped = 0,
): Promise<Made> {
  const { recipe } = run;
  const sampling = samplingOf(recipe, 'train', 'designer');
  const use = { runId: search.runId, version: search.policyVersion, role: 'designer', recipe } as const;
  return withSpeaker(deps, use, async (speaker) => {
    let said = await speaker.say({ messages: messages(0), sampling, seedKey }, signal);
    for (let skip = 1; said.status === 'prompt-too-long' && skip <= mostSkipped; skip++) {
      said = await speaker.say({ messages: messages(skip), sampling, seedKey }, signal);
    }
    const { text: reply, status, promptTokens, responseTokens } = said;
    if (status === 'prompt-too-long') {
      throw new DomainError(
        'InvalidInput',
        `a proposal's prompt leaves no room for a reply of ${sampling.maxTokens} tokens in the policy's context`,
      );
    }
    const found = await judgeDesign(deps.scripts, { reply, question: sampleQuestion, recipe, signal });
    return { ...found, reply, cost: { calls: 1, promptTokens, responseTokens } };
  });
}
