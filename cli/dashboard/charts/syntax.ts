/** A design's script with its words marked by what they are. Text that is no JavaScript comes out unmarked. */
import { tokenizer } from 'acorn';
import { apiBuilders } from '../../../shared/script/api.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';

const builders: ReadonlySet<string> = new Set(apiBuilders.map(({ name }) => name));

interface Mark {
  start: number;
  end: number;
  kind: 'keyword' | 'string' | 'number' | 'comment' | 'builder';
}

/** In the order of the text, without overlaps; up to the first place that is no token. */
function marksOf(script: string): Mark[] {
  const marks: Mark[] = [];
  const onComment = (_block: boolean, _text: string, start: number, end: number) =>
    void marks.push({ start, end, kind: 'comment' });
  try {
    const options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: false, onComment } as const;
    for (const { type, start, end } of tokenizer(script, options)) {
      const kind = kindOf(type, script.slice(start, end));
      if (kind !== null && end > start) marks.push({ start, end, kind });
    }
  } catch {
    // What could be read until here stays marked.
  }
  return marks.sort((a, b) => a.start - b.start);
}

function kindOf(type: { label: string; keyword?: string }, text: string): Mark['kind'] | null {
  if (type.keyword !== undefined || /^(async|await|of|let)$/.test(text)) return 'keyword';
  if (type.label === 'string' || type.label === 'template' || type.label === 'regexp' || text === '`') return 'string';
  if (type.label === 'num') return 'number';
  return type.label === 'name' && builders.has(text) ? 'builder' : null;
}

/** Lines of markup, one a line of the script, so that they can be numbered. */
export function scriptLines(script: string): Html[] {
  const marks = marksOf(script);
  const lines: Html[] = [];
  let parts: Html[] = [];
  const write = (text: string, kind: Mark['kind'] | null) => {
    text.split('\n').forEach((piece, index) => {
      if (index > 0) {
        lines.push(html`${parts}`);
        parts = [];
      }
      if (piece !== '') parts.push(kind === null ? html`${piece}` : html`<span class="t-${kind}">${piece}</span>`);
    });
  };
  let at = 0;
  for (const { start, end, kind } of marks) {
    if (start < at) continue;
    write(script.slice(at, start), null);
    write(script.slice(start, end), kind);
    at = end;
  }
  write(script.slice(at), null);
  return [...lines, html`${parts}`];
}

/** Numbered lines; `problemLine` is marked. */
export const scriptView = (script: string, problemLine: number | null = null): Html =>
  html`<ol class="script">
    ${scriptLines(script).map((line, index) => html`<li${index + 1 === problemLine && html` class="wrong"`}><code>${line}</code></li>`)}
  </ol>`;
