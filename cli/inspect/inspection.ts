/** What `inspect` finds about one node: a JSON object, text, and the nodes below it with what they are. */
import type { Store } from '../../activities/store/connect.ts';
import type { RunDocument } from '../../activities/store/documents.ts';
import type { Paint } from '../view/paint.ts';

export interface Inspection {
  data: Record<string, unknown>;
  lines: string[];
  children: Child[];
}

export interface Child {
  path: string;
  /** What the reader finds there. */
  label: string;
}

/** What readers of nodes may use. */
export interface InspectContext {
  store: Store;
  run: RunDocument;
  paint: Paint;
  width: number;
  /** Texts in full length. */
  full: boolean;
  /** Page of a workflow in the Temporal UI, or null. */
  uiUrl: (workflowId: string) => string | null;
}

const shownChildren = 12;

export function renderInspection({ lines, children }: Inspection, parent: string | null, paint: Paint): string {
  const shown = children.slice(0, shownChildren);
  const width = Math.max(0, ...shown.map(({ path }) => path.length));
  const next = shown.map(({ path, label }) =>
    `  npx metaagentx inspect ${path.padEnd(width)}  ${paint.dim(label)}`.trimEnd(),
  );
  if (children.length > shown.length) next.push(paint.dim(`  … and ${children.length - shown.length} more`));
  return [
    ...lines,
    ...(next.length === 0 ? [] : ['', paint.bold('Look deeper:'), ...next]),
    ...(parent === null ? [] : [`${paint.dim('up:')} npx metaagentx inspect ${parent}`]),
  ].join('\n');
}

const clippedAt = 800;

/** A text as indented lines; cut unless everything was asked for. */
export function quoted(text: string, { full }: Pick<InspectContext, 'full'>, indent = '    '): string[] {
  const cut = !full && text.length > clippedAt;
  const shown = cut ? text.slice(0, clippedAt) : text;
  const lines = shown.split('\n').map((line) => `${indent}${line}`.trimEnd());
  return cut ? [...lines, `${indent}… ${text.length - clippedAt} more characters (--full shows all)`] : lines;
}

/** Documents without their packed arrays, which mean nothing to a reader. */
export const withoutPacked = { promptIds: 0, tokenIds: 0, logProbs: 0 } as const;

export const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
