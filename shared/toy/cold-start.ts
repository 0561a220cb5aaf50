/**
 * Examples for the toy recipe's cold start, for both roles, from training problems only. The quality is mediocre on
 * purpose: every design pattern whatever the question, some broken scripts, answers that often guess or slip. Reward
 * has to find the rest. Knows no tokenizer.
 */
import type { Role } from '../domain/role.ts';
import type { ChatMessage } from '../domain/sampling.ts';
import { DomainError } from '../errors.ts';
import { composeMessages, type AgentPart, type ModelRequest } from '../script/prompts.ts';
import { drawAnswer, type AnswerQuality, type Manner } from './answers.ts';
import { breakDesign, designPatterns, writeDesign, type DesignPattern } from './designs.ts';
import { createDraws, type Draws } from './draws.ts';
import { drawToyProblem, type ToyProblem } from './questions.ts';

/** The Designer's terse system prompt. */
export const toyDesignerSystem = 'design';

export interface ColdStartExample {
  role: Role;
  messages: ChatMessage[];
  response: string;
}

export interface ColdStartQuality extends AnswerQuality {
  /** How often each pattern is written, relative to the others. */
  patterns: Readonly<Record<DesignPattern, number>>;
  /** Share of broken scripts. */
  broken: number;
  /** How often each manner is practised, relative to the others. */
  manners: Readonly<Record<Manner, number>>;
  /** How often each part of a multi-agent system is practised, relative to the others. */
  parts: Readonly<Record<ExecutorPart, number>>;
  /** Share of critics' verdicts that are right. */
  rightVerdicts: number;
}

/** `agent` answers a question alone; `second` sees another's reply; the others are as in `shared/script/prompts.ts`. */
export type ExecutorPart = 'agent' | 'second' | 'judge' | 'critic' | 'reviser';

export const defaultColdStartQuality: ColdStartQuality = {
  works: { steps: 0.75, plain: 0.5, fast: 0.05 },
  manners: { steps: 3, plain: 1, fast: 1 },
  slips: 0.05,
  patterns: { single: 2, ensemble: 2, debate: 1, reflect: 1, sequence: 1, compare: 1, choose: 1 },
  broken: 0.2,
  parts: { agent: 8, second: 1, judge: 1, critic: 1, reviser: 1 },
  rightVerdicts: 0.75,
};

export interface ColdStartRequest {
  seedKey: string;
  count: number;
  /** Share of designer examples, in [0, 1]; 0.5 unless told. */
  designerShare?: number;
  quality?: Partial<ColdStartQuality>;
}

/** `count` examples; example i depends on (seedKey, i, quality) alone. Throws `InvalidInput` on a bad count or share. */
export function generateColdStartExamples(request: ColdStartRequest): ColdStartExample[] {
  const { seedKey, count, designerShare = 0.5 } = request;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new DomainError('InvalidInput', `cold start: count is ${count}; expected a whole number from 1`, { count });
  }
  if (!(designerShare >= 0 && designerShare <= 1)) {
    throw new DomainError('InvalidInput', `cold start: designerShare is ${designerShare}; expected 0 to 1`, {
      designerShare,
    });
  }
  const quality = { ...defaultColdStartQuality, ...request.quality };
  return Array.from({ length: count }, (_, index) => {
    const draws = createDraws(`${seedKey}/cold-start/${index}`);
    const problem = drawToyProblem(draws, 'train');
    return draws.chance(designerShare)
      ? designerExample(problem, quality, draws)
      : executorExample(problem, quality, draws);
  });
}

function designerExample(problem: ToyProblem, quality: ColdStartQuality, draws: Draws): ColdStartExample {
  const script = writeDesign(draws.weighted(quality.patterns), draws);
  return {
    role: 'designer',
    messages: [
      { role: 'system', content: toyDesignerSystem },
      { role: 'user', content: problem.text },
    ],
    response: draws.chance(quality.broken) ? breakDesign(script, draws) : script,
  };
}

/** The request as the script runtime makes it, with the parts that a terse prompt shows. */
function modelRequest(part: AgentPart, prompt: string, task: string, shown: Partial<ModelRequest> = {}): ModelRequest {
  return {
    part,
    prompt,
    task,
    shown: [],
    draft: null,
    critique: null,
    routes: [],
    memory: [],
    tools: [],
    turns: [],
    last: false,
    ...shown,
  };
}

function executorExample(problem: ToyProblem, quality: ColdStartQuality, draws: Draws): ColdStartExample {
  const part = draws.weighted(quality.parts);
  const manner = draws.weighted(quality.manners);
  const answer = (by: Manner) => drawAnswer(problem, by, quality, draws);
  const example = (request: ModelRequest, response: string): ColdStartExample => ({
    role: 'executor',
    messages: composeMessages(request, 'terse'),
    response,
  });
  const reply = (name: string) => ({ name, text: answer(draws.weighted(quality.manners)) });
  const { text } = problem;
  switch (part) {
    case 'agent':
      return example(modelRequest('agent', manner, text), answer(manner));
    case 'second':
      return example(modelRequest('agent', manner, text, { shown: [reply('a')] }), answer(manner));
    case 'judge':
      return example(modelRequest('judge', manner, text, { shown: [reply('a'), reply('b')] }), answer(manner));
    case 'critic': {
      const draft = reply('a').text;
      const right = draft.endsWith(`#### ${problem.answer}`);
      return example(
        modelRequest('critic', '', text, { draft }),
        right === draws.chance(quality.rightVerdicts) ? 'ACCEPT' : 'REVISE',
      );
    }
    case 'reviser': {
      const draft = reply('a').text;
      return example(modelRequest('reviser', manner, text, { draft, critique: 'REVISE' }), answer(manner));
    }
  }
}

export { designPatterns };
