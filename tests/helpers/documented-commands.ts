/** Every command line that README.md, CONTRIBUTING.md and docs/ tell a reader to type, as words. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface DocumentedCommand {
  /** File and line of the first mention. */
  where: string;
  text: string;
  program: 'metaagentx' | 'npm';
  /** After the program's name; comments, redirections and pipes are cut off. */
  words: string[];
}

export const documentFiles = (): string[] => [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export const readDocument = (file: string): string => readFileSync(join(root, file), 'utf8');

/** All of them; equal lines once. */
export function documentedCommands(): DocumentedCommand[] {
  const found = new Map<string, DocumentedCommand>();
  for (const file of documentFiles())
    for (const command of commandsOf(readDocument(file), file))
      if (!found.has(command.text)) found.set(command.text, command);
  return [...found.values()];
}

const commandLine = /^\$?\s*(?:[A-Z][A-Z0-9_]*=\S+ )*(npx metaagentx|metaagentx|npm)(?= |$)(.*)$/;

/** Of one page: lines of its code blocks, and code inside its sentences, that begin like a command. */
export function commandsOf(markdown: string, file: string): DocumentedCommand[] {
  let inBlock = false;
  return markdown.split('\n').flatMap((line, index) => {
    if (line.trim().startsWith('```')) {
      inBlock = !inBlock;
      return [];
    }
    const texts = inBlock ? [line.trim()] : [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
    return texts.flatMap((text): DocumentedCommand[] => {
      const match = commandLine.exec(text);
      // Usage lines and drawings are the program's own words about itself.
      if (match === null || /\[options\]|\(cli\//.test(text)) return [];
      const program = match[1] === 'npm' ? 'npm' : 'metaagentx';
      return [{ where: `${file}:${index + 1}`, text: text.trim(), program, words: shellWords(match[2]!) }];
    });
  });
}

/** Words as a shell would make them, up to a comment, a pipe, a redirection or the end of the command. */
function shellWords(text: string): string[] {
  const words: string[] = [];
  for (const [piece] of text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g)) {
    if (/^(#|\||>|<|;|&&)/.test(piece)) break;
    words.push(
      piece.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_all, double: string | undefined, single: string | undefined) =>
        double === undefined ? single! : double.replace(/\\(["$`\\])/g, '$1'),
      ),
    );
  }
  return words;
}
