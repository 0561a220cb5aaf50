/** The Python program in a reply, and when two programs are the same text. Pure; what a program does is not known here. */
const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$/;
const python = new Set(['', 'python', 'python3', 'py']);

/** The last closed fenced block that is Python or names no language; null where there is none. */
export function extractProgram(replyText: string): string | null {
  let open: { mark: string; language: string; lines: string[] } | null = null;
  let found: string | null = null;
  for (const line of replyText.replaceAll('\r\n', '\n').split('\n')) {
    if (open === null) {
      const match = fence.exec(line);
      if (match !== null) open = { mark: match[1]!, language: match[2]!.toLowerCase(), lines: [] };
    } else if (closes(line, open.mark)) {
      if (python.has(open.language)) found = `${open.lines.join('\n')}\n`;
      open = null;
    } else open.lines.push(line);
  }
  return found;
}

/** At least as long as the opening mark, and nothing after it (CommonMark 4.5). */
function closes(line: string, mark: string): boolean {
  const text = line.trim();
  return text.length >= mark.length && [...text].every((character) => character === mark[0]);
}

/** Equal but for blank lines, lines that are comments, and space at the ends of lines. */
export const programsEqual = (left: string, right: string): boolean => bare(left) === bare(right);

const bare = (program: string) =>
  program
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s*#/.test(line))
    .join('\n');
