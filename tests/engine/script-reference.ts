/**
 * A second reading of the language, for the property test: random designs as data, their text as a script, and an
 * interpreter that is plain recursion. Shares no code with the runtime; written from `docs/script-language.md`.
 */
import fc from 'fast-check';

export type Design =
  | { kind: 'agent'; prompt: string }
  | {
      kind: 'ensemble';
      members: Design[];
      copies: number;
      weights: number[] | null;
      consensus: boolean;
      judge: Design | null;
    }
  | { kind: 'debate'; debaters: Design[]; rounds: number; judge: Design | null }
  | { kind: 'reflect'; agent: Design; critic: Design | null; rounds: number }
  | { kind: 'route'; routes: Design[]; by: Design | number; fallback: number }
  | { kind: 'sequence'; steps: Design[] }
  | { kind: 'loop'; body: Design; until: Design | string | null; max: number };

const small = (max: number) => fc.integer({ min: 1, max });

export const designs: fc.Arbitrary<Design> = fc.letrec<{ node: Design }>((tie) => {
  const node = tie('node');
  const list = (min: number) => fc.array(node, { minLength: min, maxLength: 3 });
  const agent = fc.record({ kind: fc.constant('agent' as const), prompt: fc.constantFrom('a', 'b', 'c', '') });
  return {
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true, maxDepth: 3 },
      agent,
      list(1).chain((members) =>
        fc.record({
          kind: fc.constant('ensemble' as const),
          members: fc.constant(members),
          copies: small(2),
          weights: fc.option(
            fc.array(fc.constantFrom(0, 1, 1.5, 3), { minLength: members.length, maxLength: members.length }),
          ),
          consensus: fc.boolean(),
          judge: fc.option(node),
        }),
      ),
      fc.record({ kind: fc.constant('debate' as const), debaters: list(2), rounds: small(3), judge: fc.option(node) }),
      fc.record({ kind: fc.constant('reflect' as const), agent: node, critic: fc.option(node), rounds: small(3) }),
      list(1).chain((routes) =>
        fc.record({
          kind: fc.constant('route' as const),
          routes: fc.constant(routes),
          by: fc.oneof(node, fc.integer({ min: 0, max: 3 })),
          fallback: fc.integer({ min: 0, max: routes.length - 1 }),
        }),
      ),
      fc.record({ kind: fc.constant('sequence' as const), steps: list(1) }),
      fc.record({
        kind: fc.constant('loop' as const),
        body: node,
        until: fc.oneof(fc.constant(null), fc.constantFrom('0', '1'), node),
        max: small(3),
      }),
    ),
  };
}).node;

/** The design as script text. Nodes are named by kind in the order of the text, which `names` repeats. */
export function textOf(design: Design, names: Map<Design, string>): string {
  const counts = new Map<string, number>();
  const write = (node: Design): string => {
    const text = writeNode(node);
    const count = (counts.get(node.kind) ?? 0) + 1;
    counts.set(node.kind, count);
    // A shared object would get two names; designs are trees.
    names.set(node, `${node.kind}${count}`);
    return text;
  };
  const all = (nodes: Design[]) => `[${nodes.map(write).join(', ')}]`;
  const maybe = (name: string, node: Design | null) => (node === null ? '' : `, ${name}: ${write(node)}`);
  const writeNode = (node: Design): string => {
    switch (node.kind) {
      case 'agent':
        return `agent('${node.prompt}')`;
      case 'ensemble': {
        const strategy =
          node.weights !== null
            ? `, weights: ${JSON.stringify(node.weights)}`
            : node.consensus
              ? ", strategy: 'consensus'"
              : '';
        return `ensemble({ members: ${all(node.members)}, copies: ${node.copies}${strategy}${maybe('judge', node.judge)} })`;
      }
      case 'debate':
        return `debate({ debaters: ${all(node.debaters)}, rounds: ${node.rounds}${maybe('judge', node.judge)} })`;
      case 'reflect':
        return `reflect({ agent: ${write(node.agent)}${maybe('critic', node.critic)}, rounds: ${node.rounds} })`;
      case 'route': {
        const routes = node.routes.map((route, i) => `r${i}: ${write(route)}`).join(', ');
        const by = typeof node.by === 'number' ? `() => 'r${node.by}'` : write(node.by);
        return `route({ routes: { ${routes} }, by: ${by}, default: 'r${node.fallback}' })`;
      }
      case 'sequence':
        return `sequence(${all(node.steps)})`;
      case 'loop': {
        const body = write(node.body);
        const test =
          typeof node.until === 'string' ? `(r) => r.answer === '${node.until}'` : node.until && write(node.until);
        return `loop({ body: ${body}${test === null ? '' : `, until: ${test}`}, max: ${node.max} })`;
      }
    }
  };
  return `return ${write(design)}`;
}

export interface Said {
  text: string;
  failed: boolean;
}
/** What a call is answered with: a function of what the model sees, so that order cannot matter. */
export type Oracle = (seen: { path: string; part: string; system: string; user: string }) => Said;

export interface Trace {
  /** By node path. */
  calls: Map<string, { part: string; system: string; user: string }>;
  details: Map<string, unknown>;
  result: { text: string; answer: string | null; failed: boolean };
}

interface Reply {
  text: string;
  answer: string | null;
  failed: boolean;
  name: string;
}
interface Context {
  shown: Reply[];
  part: string;
  draft: Reply | null;
  critique: Reply | null;
  routes: string[];
  path: string;
}

const words: Record<string, string> = { critic: 'check', reviser: 'fix', judge: 'judge', router: 'route' };

export function interpret(design: Design, names: Map<Design, string>, question: string, oracle: Oracle): Trace {
  const calls: Trace['calls'] = new Map();
  const details: Trace['details'] = new Map();
  const stays = (context: Context) => context.part === 'critic' || context.part === 'router';

  function ask(prompt: string, name: string, context: Context): Reply {
    const head = context.part === 'router' ? `route ${context.routes.join('|')}` : words[context.part];
    const lines = [question, ...context.shown.map(({ text }) => `- ${text}`)];
    if (head !== undefined) lines.unshift(head);
    if (context.draft !== null) lines.push(context.draft.text);
    if (context.critique !== null) lines.push(context.critique.text);
    const seen = { part: context.part, system: prompt, user: lines.join('\n') };
    calls.set(context.path, seen);
    const said = oracle({ path: context.path, ...seen });
    if (said.failed) return { text: '', answer: null, failed: true, name };
    return { text: said.text, answer: typed(context, said.text), failed: false, name };
  }

  function typed(context: Context, text: string): string | null {
    if (context.part === 'critic') return ['ACCEPT', 'REVISE'].find((verdict) => verdict === text) ?? null;
    if (context.part === 'router') return context.routes.find((route) => route === text) ?? null;
    return text.startsWith('Answer: ') ? text.slice(8) : null;
  }

  function decide(
    ballots: { reply: Reply; weight: number }[],
    strategy: string,
    judge: ((context: Context) => Reply) | null,
    context: Context,
    more: object,
  ) {
    const good = ballots.filter(({ reply }) => !reply.failed);
    const groups: { answer: string; votes: number; members: string[]; first: Reply }[] = [];
    for (const { reply, weight } of good) {
      if (reply.answer === null) continue;
      const group = groups.find(({ answer }) => answer === reply.answer);
      if (group === undefined)
        groups.push({ answer: reply.answer, votes: weight, members: [reply.name], first: reply });
      else {
        group.votes += weight;
        group.members.push(reply.name);
      }
    }
    const detail = {
      strategy,
      votes: groups.map(({ answer, votes, members }) => ({ answer, votes, members })),
      failed: ballots.filter(({ reply }) => reply.failed).map(({ reply }) => reply.name),
      ...more,
    };
    if (good.length === 0) return { reply: { text: '', answer: null, failed: true, name: '' }, detail };
    const most = Math.max(...groups.map(({ votes }) => votes));
    const best = groups.filter(({ votes }) => votes === most);
    const consensus = strategy === 'consensus';
    if (consensus || (judge !== null && best.length > 1)) {
      const shown = consensus ? good.map(({ reply }) => reply) : best.map(({ first }) => first);
      const part = stays(context) ? context.part : 'judge';
      const verdict = judge!({ ...context, shown, part, path: `${context.path}/judge` });
      return { reply: verdict, detail: { ...detail, judge: verdict.name } };
    }
    return { reply: best[0]?.first ?? good[0]!.reply, detail };
  }

  function run(node: Design, context: Context): Reply {
    const name = names.get(node)!;
    const { path } = context;
    const inside = (segment: string, changes: Partial<Context> = {}): Context => ({
      ...context,
      ...changes,
      path: `${path}/${segment}`,
    });
    const end = (reply: Reply, detail: unknown): Reply => {
      details.set(path, detail);
      return { ...reply, name };
    };
    const reviewing = (segment: string, draft: Reply) =>
      inside(segment, { part: 'critic', draft, critique: null, shown: [] });
    const judgeOf = (judge: Design | null) => (judge === null ? null : (at: Context) => run(judge, at));

    switch (node.kind) {
      case 'agent': {
        details.set(path, null);
        return ask(node.prompt, name, context);
      }
      case 'ensemble': {
        const seats = Array.from({ length: node.copies }, () =>
          node.members.map((member, i) => ({ member, weight: node.weights?.[i] ?? 1 })),
        ).flat();
        const ballots = seats.map(({ member, weight }, i) => ({
          reply: run(member, inside(`member-${i + 1}`)),
          weight,
        }));
        const strategy = node.weights !== null ? 'weighted' : node.consensus ? 'consensus' : 'majority';
        const plain = (at: Context) => {
          details.set(at.path, null);
          return ask('', 'judge', at);
        };
        const judge = judgeOf(node.judge) ?? (strategy === 'consensus' ? plain : null);
        const { reply, detail } = decide(ballots, strategy, judge, context, {});
        return end(reply, detail);
      }
      case 'debate': {
        let standing: Reply[] = [];
        for (let round = 1; round <= node.rounds; round += 1) {
          const changes: Partial<Context> =
            round === 1
              ? {
                  part:
                    context.part === 'agent' || context.part === 'judge' || context.part === 'debater'
                      ? 'debater'
                      : context.part,
                }
              : {
                  part: stays(context) ? context.part : 'debater',
                  shown: standing.filter(({ failed }) => !failed),
                  ...(stays(context) ? {} : { draft: null, critique: null }),
                };
          const before = standing;
          standing = node.debaters.map((debater, i) => {
            const reply = run(debater, inside(`round-${round}/debater-${i + 1}`, changes));
            return reply.failed && before[i] !== undefined ? before[i] : reply;
          });
        }
        const ballots = standing.map((reply) => ({ reply, weight: 1 }));
        const { reply, detail } = decide(
          ballots,
          node.judge === null ? 'majority' : 'consensus',
          judgeOf(node.judge),
          context,
          { rounds: node.rounds },
        );
        return end(reply, detail);
      }
      case 'reflect': {
        let draft = run(node.agent, inside('draft'));
        const verdicts: (string | null)[] = [];
        let ended = draft.failed ? 'draft failed' : 'rounds';
        for (let round = 1; round <= node.rounds && ended === 'rounds'; round += 1) {
          const at = reviewing(`critic-${round}`, draft);
          if (node.critic === null) details.set(at.path, null);
          const review = node.critic === null ? ask('', 'critic', at) : run(node.critic, at);
          verdicts.push(review.answer);
          if (review.failed) ended = 'critic failed';
          else if (review.answer === 'ACCEPT') ended = 'accepted';
          else {
            const changes = stays(context)
              ? { shown: [...context.shown, draft], critique: review }
              : { part: 'reviser', draft, critique: review };
            const revised = run(node.agent, inside(`revision-${round}`, changes));
            if (revised.failed) ended = 'revision failed';
            else if (revised.text.trim() === draft.text.trim()) ended = 'no change';
            else draft = revised;
          }
        }
        return end(draft, { verdicts, ended });
      }
      case 'route': {
        const names = node.routes.map((_, i) => `r${i}`);
        const chosen =
          typeof node.by === 'number'
            ? `r${node.by}`
            : run(node.by, inside('choice', { part: 'router', routes: names, draft: null, critique: null })).answer;
        const index = chosen === null ? -1 : names.indexOf(chosen);
        const taken = index >= 0 ? index : node.fallback;
        const reply = run(node.routes[taken]!, inside(`route-r${taken}`));
        return end(reply, { route: `r${taken}`, named: index >= 0 });
      }
      case 'sequence': {
        let reply: Reply | null = null;
        let step = 0;
        for (const design of node.steps) {
          step += 1;
          reply = run(
            design,
            inside(`step-${step}`, { shown: reply === null ? context.shown : [...context.shown, reply] }),
          );
          if (reply.failed) break;
        }
        return end(reply!, { steps: step, of: node.steps.length });
      }
      case 'loop': {
        let reply: Reply | null = null;
        let ended = 'max';
        let turn = 0;
        while (turn < node.max && ended === 'max') {
          turn += 1;
          reply = run(
            node.body,
            inside(`body-${turn}`, { shown: reply === null ? context.shown : [...context.shown, reply] }),
          );
          if (reply.failed) ended = 'failed';
          else if (typeof node.until === 'string') ended = reply.answer === node.until ? 'until' : ended;
          else if (node.until !== null && run(node.until, reviewing(`until-${turn}`, reply)).answer === 'ACCEPT')
            ended = 'until';
        }
        return end(reply!, { turns: turn, ended });
      }
    }
  }

  const top: Context = { shown: [], part: 'agent', draft: null, critique: null, routes: [], path: `${design.kind}-1` };
  const { text, answer, failed } = run(design, top);
  return { calls, details, result: { text, answer, failed } };
}
