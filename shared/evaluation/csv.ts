/** Rows as CSV (RFC 4180): comma, CRLF-free lines ended by a newline, quotes where needed. Numbers keep all digits. */
export type Cell = string | number | boolean | null | undefined;

export function csvText(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(cellText).join(',')}\n`).join('');
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
