/** Guest side: route and sequence, the nodes that pass work on. */
import { describe, Node, runRecipe, within } from './node.mjs';
import { failed, Reply, sumUsage } from './reply.mjs';

const routeNames = (routes) => Object.keys(routes).join(', ');

/** What the chooser named, and what asking it cost. An unknown name, or none, is null. */
async function choose(by, routes, context) {
  const known = (name) => (typeof name === 'string' && Object.hasOwn(routes, name) ? name : null);
  if (typeof by === 'function') {
    const named = await by(context.task, context.shown);
    if (!Reply.is(named) && !Node.is(named)) return { choice: known(named), usage: null };
    return { choice: known(Reply.is(named) ? named.answer : null), usage: null };
  }
  const asked = { part: 'router', routes: Object.keys(routes), draft: null, critique: null };
  const reply = await runRecipe(by, within(context, 'choice', asked));
  return { choice: failed(reply) ? null : known(reply.answer), usage: reply.usage };
}

export function buildRoute({ routes, by, default: fallback }, name) {
  if (!Object.hasOwn(routes, fallback)) {
    throw new TypeError(`route: default must be one of ${routeNames(routes)}; got ${describe(fallback)}`);
  }
  return new Node('route', name, async (context) => {
    const { choice, usage } = await choose(by, routes, context);
    const route = choice ?? fallback;
    const reply = await runRecipe(routes[route], within(context, `route-${route}`));
    const spent = usage === null ? [reply.usage] : [usage, reply.usage];
    const detail = { route, named: choice !== null };
    return Reply.as(reply, { path: context.path, name, usage: sumUsage(spent), detail });
  });
}

export function buildSequence({ steps }, name) {
  return new Node('sequence', name, async (context) => {
    const spent = [];
    let reply = null;
    let step = 0;
    while (step < steps.length && (reply === null || !failed(reply))) {
      const shown = reply === null ? context.shown : [...context.shown, reply];
      step += 1;
      reply = await runRecipe(steps[step - 1], within(context, `step-${step}`, { shown }), reply, step);
      spent.push(reply.usage);
    }
    const detail = { steps: step, of: steps.length };
    return Reply.as(reply, { path: context.path, name, usage: sumUsage(spent), detail });
  });
}
