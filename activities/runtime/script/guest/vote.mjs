/**
 * Guest side: ensemble and debate, the nodes that decide among several replies. A reply keeps its own name and weight
 * whatever happens to its neighbours; failed replies and replies without an answer do not vote; ties go to the group
 * seen first, in the members' order.
 */
import { describe, keepsPart, Node, runMember, runRecipe, within } from './node.mjs';
import { failed, Reply, sumUsage } from './reply.mjs';

const nameOf = (recipe, fallback) => (Node.is(recipe) || Reply.is(recipe) ? recipe.name : fallback);

/** Groups of equal answers in order of first sight: `{ answer, votes, members, first }`. */
function countVotes(ballots) {
  const groups = new Map();
  for (const { reply, weight } of ballots) {
    const key = Reply.groupOf(reply);
    if (failed(reply) || key === null) continue;
    const group = groups.get(key) ?? { answer: reply.answer, votes: 0, members: [], first: reply };
    group.votes += weight;
    group.members.push(reply.name);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const tally = (groups) => groups.map(({ answer, votes, members }) => ({ answer, votes, members }));

/** Sums of weights that differ only by rounding are equal. */
const rounding = 1e-9;

function leaders(groups) {
  const most = Math.max(...groups.map((group) => group.votes));
  return groups.filter((group) => group.votes >= most * (1 - rounding));
}

const judged = (context, segment, shown) =>
  within(context, segment, { part: keepsPart(context) ? context.part : 'judge', shown });

/** The reply that ballots decide for, with the judge asked where `consensus` or a tie calls for it. */
async function decide({ ballots, strategy, judge, spent, more }, context, name) {
  const { path } = context;
  const replies = ballots.map((ballot) => ballot.reply);
  const good = replies.filter((reply) => !failed(reply));
  const groups = countVotes(ballots);
  const detail = { strategy, votes: tally(groups), failed: replies.filter(failed).map((reply) => reply.name), ...more };
  const usage = sumUsage(spent);
  if (good.length === 0) {
    return Reply.failed({
      path,
      name,
      usage,
      error: `all ${replies.length} members failed: ${replies[0].error}`,
      detail,
    });
  }
  const first = groups.length === 0 ? [] : leaders(groups);
  const candidates = strategy === 'consensus' ? good : first.map((group) => group.first);
  if (strategy === 'consensus' || (judge !== undefined && first.length > 1)) {
    const verdict = await runRecipe(judge, judged(context, 'judge', candidates));
    const total = sumUsage([usage, verdict.usage]);
    return Reply.as(verdict, { path, name, usage: total, detail: { ...detail, judge: verdict.name } });
  }
  return Reply.as(candidates[0] ?? good[0], { path, name, usage, detail });
}

function readWeights(weights, recipes) {
  const list = recipes.map((recipe, index) => {
    const weight = Array.isArray(weights) ? weights[index] : weights[nameOf(recipe, '')];
    if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) return weight;
    throw new TypeError(`ensemble: member ${index + 1} needs a weight of 0 or more; got ${describe(weight)}`);
  });
  if (Array.isArray(weights) && weights.length !== recipes.length) {
    throw new TypeError(`ensemble: ${weights.length} weights for ${recipes.length} members; give one for each`);
  }
  return list;
}

export function buildEnsemble({ members, copies = 1, strategy, weights, judge }, name, plainJudge) {
  const method = strategy ?? (weights === undefined ? 'majority' : 'weighted');
  if ((method === 'weighted') !== (weights !== undefined)) {
    throw new TypeError("ensemble: weights and strategy 'weighted' go together");
  }
  const each = weights === undefined ? members.map(() => 1) : readWeights(weights, members);
  const seats = [];
  for (let copy = 0; copy < copies; copy += 1) members.forEach((recipe, i) => seats.push({ recipe, weight: each[i] }));
  const chair = judge ?? (method === 'consensus' ? plainJudge : undefined);
  return new Node('ensemble', name, async (context) => {
    const replies = await Promise.all(
      seats.map(({ recipe }, i) =>
        runMember(recipe, within(context, `member-${i + 1}`), nameOf(recipe, `member ${i + 1}`)),
      ),
    );
    const ballots = replies.map((reply, i) => ({ reply, weight: seats[i].weight }));
    const spent = replies.map((reply) => reply.usage);
    return decide({ ballots, strategy: method, judge: chair, spent, more: {} }, context, name);
  });
}

export function buildDebate({ debaters, rounds = 2, judge }, name) {
  if (debaters.length < 2) throw new TypeError(`debate: two debaters at least; got ${debaters.length}`);
  return new Node('debate', name, async (context) => {
    let standing = [];
    const spent = [];
    for (let round = 1; round <= rounds; round += 1) {
      const shown = round === 1 ? context.shown : standing.filter((reply) => !failed(reply));
      const part = keepsPart(context) || (round === 1 && context.part === 'reviser') ? context.part : 'debater';
      const materials = round === 1 || keepsPart(context) ? {} : { draft: null, critique: null };
      const replies = await Promise.all(
        debaters.map((recipe, i) =>
          runMember(
            recipe,
            within(context, `round-${round}/debater-${i + 1}`, { ...materials, part, shown }),
            nameOf(recipe, `debater ${i + 1}`),
          ),
        ),
      );
      spent.push(...replies.map((reply) => reply.usage));
      // A debater that fails in a later round keeps its last good reply.
      standing = replies.map((reply, i) => (failed(reply) && standing[i] !== undefined ? standing[i] : reply));
    }
    const ballots = standing.map((reply) => ({ reply, weight: 1 }));
    const strategy = judge === undefined ? 'majority' : 'consensus';
    return decide({ ballots, strategy, judge, spent, more: { rounds } }, context, name);
  });
}
