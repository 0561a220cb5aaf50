/**
 * How a reply's text is read where the runtime, and not a verifier, needs a typed value from it: a critic's verdict, a
 * router's choice, a tool request. Strict by design: a whole line or a whole fence counts, never a part of a word or a
 * sentence, so INCORRECT can never read as CORRECT. Pure text functions.
 */
import type { PromptForm } from './prompts.ts';

export type CriticVerdict = 'ACCEPT' | 'REVISE';

/** Line decoration that models add around a keyword: list marks, emphasis, a final full stop. */
const bare = (line: string) => line.replace(/^[\s>*_#`"'-]+|[\s*_`"'.!]+$/g, '');

/**
 * The verdict of a critic: a line that is `ACCEPT` or `REVISE`, alone or after `VERDICT:`. Null when there is none or
 * when such lines disagree; the caller treats null as not accepted.
 */
export function readVerdict(text: string): CriticVerdict | null {
  let found: CriticVerdict | null = null;
  for (const line of text.split('\n')) {
    const match = /^(?:verdict[*_\s]*[:=][*_\s]*)?(accept|revise)$/i.exec(bare(line));
    if (match === null) continue;
    const verdict = match[1]!.toUpperCase() as CriticVerdict;
    if (found !== null && found !== verdict) return null;
    found = verdict;
  }
  return found;
}

/** The route that a router named: the whole reply, or its last line alone or after `ROUTE:`. Null for anything else. */
export function readRoute(text: string, routes: readonly string[]): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const last = lines.at(-1);
  if (last === undefined) return null;
  const named = bare(bare(last).replace(/^route[*_\s]*[:=]/i, '')).toLowerCase();
  return routes.find((route) => route.toLowerCase() === named) ?? null;
}

export interface ToolRequest {
  tool: string;
  input: string;
}

/**
 * The tool request in an agent's reply, or null. Documented form: the first closed fence whose info string is
 * `run:TOOL` (a plain `python` fence is an answer and is never run). Terse form: the last line, `TOOL: input`.
 * Only names in `tools` count.
 */
export function readToolRequest(text: string, tools: readonly string[], form: PromptForm): ToolRequest | null {
  if (tools.length === 0) return null;
  if (form === 'terse') {
    const match = /^([a-z]\w*):[ \t]*(\S.*)$/.exec(text.trimEnd().split('\n').at(-1) ?? '');
    return match !== null && tools.includes(match[1]!) ? { tool: match[1]!, input: match[2]! } : null;
  }
  const fence = /^```run:([a-z]\w*)[ \t]*\n([\s\S]*?)^```[ \t]*$/gm;
  for (const match of text.matchAll(fence)) {
    if (tools.includes(match[1]!)) return { tool: match[1]!, input: match[2]!.replace(/\n$/, '') };
  }
  return null;
}
