/** Aligned columns of text for a terminal: no frames, so that they can be copied and cut. */
import { widthOf } from './paint.ts';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

const pad = (text: string, width: number, align: Column['align']) => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'right' ? space + text : text + space;
};

/** Lines: the titles, then a row each; two spaces between columns, none at the end of a line. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => widthOf(row[index] ?? ''))));
  return all.map((row) =>
    columns
      .map(({ align }, index) => pad(row[index] ?? '', widths[index]!, align))
      .join('  ')
      .trimEnd(),
  );
}

/** `name   value` lines with the values in one column. */
export function renderFacts(facts: readonly (readonly [string, string | null])[]): string[] {
  const shown = facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(
    ([name, value]) => `${pad(name, width, 'left')}  ${value.split('\n').join(`\n${' '.repeat(width + 2)}`)}`,
  );
}
