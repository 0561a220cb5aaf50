/**
 * Takes the script out of a Designer's reply. Terse form: the whole reply is the script. Documented form: the last closed
 * fenced block, exactly as it stands; no other text is ever guessed to be code.
 */
import type { PromptForm } from './prompts.ts';

export interface ExtractedScript {
  script: string;
  /** Line of the reply on which the script starts, from 1. */
  line: number;
}

/** Null when the reply holds no script. An unclosed fence (a cut-off reply) is no script. */
export function extractScript(reply: string, form: PromptForm): ExtractedScript | null {
  if (form === 'terse') return reply.trim() === '' ? null : { script: reply, line: 1 };
  const lines = reply.replaceAll('\r\n', '\n').split('\n');
  let open: { at: number; fence: string } | null = null;
  let found: ExtractedScript | null = null;
  for (const [index, line] of lines.entries()) {
    if (open === null) {
      const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line)?.[1];
      if (fence !== undefined) open = { at: index, fence };
    } else if (closes(line, open.fence)) {
      const script = lines.slice(open.at + 1, index).join('\n');
      found = script.trim() === '' ? null : { script, line: open.at + 2 };
      open = null;
    }
  }
  return found;
}

/** A closing fence is at least as long as the opening one and has nothing after it (CommonMark 4.5). */
function closes(line: string, fence: string): boolean {
  const mark = line.trim();
  return mark.length >= fence.length && [...mark].every((character) => character === fence[0]);
}
