/**
 * Guest side: reflect and loop, the nodes that work on a reply again. Acceptance is a typed verdict: the critic's answer
 * is ACCEPT or REVISE as the host read it, or null, which never counts as acceptance.
 */
import { keepsPart, Node, runRecipe, within } from './node.mjs';
import { failed, Reply, sumUsage } from './reply.mjs';

const accepted = (verdict) => !failed(verdict) && verdict.answer === 'ACCEPT';
const same = (left, right) => left.text.trim() === right.text.trim();

/** How the agent is asked to revise; inside a critic or router the part must stay, and the draft is shown instead. */
function revising(context, segment, draft, critique) {
  if (keepsPart(context)) return within(context, segment, { shown: [...context.shown, draft], critique });
  return within(context, segment, { part: 'reviser', draft, critique, shown: context.shown });
}

const reviewing = (context, segment, draft) =>
  within(context, segment, { part: 'critic', draft, critique: null, shown: [] });

export function buildReflect({ agent, critic, rounds = 2 }, name, plainCritic) {
  const reviewer = critic ?? plainCritic;
  return new Node('reflect', name, async (context) => {
    const { path } = context;
    let draft = await runRecipe(agent, within(context, 'draft'));
    const spent = [draft.usage];
    const verdicts = [];
    let ended = 'rounds';
    for (let round = 1; round <= rounds && !failed(draft); round += 1) {
      const review = await runRecipe(reviewer, reviewing(context, `critic-${round}`, draft));
      spent.push(review.usage);
      verdicts.push(failed(review) ? null : review.answer);
      if (failed(review) || accepted(review)) {
        ended = failed(review) ? 'critic failed' : 'accepted';
        break;
      }
      const revised = await runRecipe(agent, revising(context, `revision-${round}`, draft, review));
      spent.push(revised.usage);
      if (failed(revised) || same(revised, draft)) {
        ended = failed(revised) ? 'revision failed' : 'no change';
        break;
      }
      draft = revised;
    }
    const detail = { verdicts, ended: failed(draft) ? 'draft failed' : ended };
    return Reply.as(draft, { path, name, usage: sumUsage(spent), detail });
  });
}

export function buildLoop({ body, until, max = 3 }, name) {
  return new Node('loop', name, async (context) => {
    const { path } = context;
    const spent = [];
    let reply = null;
    let turn = 0;
    let ended = 'max';
    while (turn < max) {
      turn += 1;
      const shown = reply === null ? context.shown : [...context.shown, reply];
      reply = await runRecipe(body, within(context, `body-${turn}`, { shown }), reply, turn);
      spent.push(reply.usage);
      if (failed(reply)) {
        ended = 'failed';
        break;
      }
      if (until === undefined) continue;
      if (typeof until === 'function') {
        if (!(await until(reply, turn))) continue;
      } else {
        const verdict = await runRecipe(until, reviewing(context, `until-${turn}`, reply));
        spent.push(verdict.usage);
        if (!accepted(verdict)) continue;
      }
      ended = 'until';
      break;
    }
    return Reply.as(reply, { path, name, usage: sumUsage(spent), detail: { turns: turn, ended } });
  });
}
