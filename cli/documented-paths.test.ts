/** Every file and folder of this tree that the documents name is there, and every link between them leads somewhere. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentFiles, readDocument } from '../tests/helpers/documented-commands.ts';

const root = join(import.meta.dirname, '..');
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
  .map(({ name }) => name);
const pathPattern = new RegExp(`^(${folders.join('|')})/[\\w.{},*/-]*$`);

/** Code words that begin with a folder of this tree; log.md tells of earlier trees too. */
const pathsOf = (markdown: string) =>
  [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!).filter((text) => pathPattern.test(text));

const linksOf = (markdown: string) =>
  [...markdown.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^(https?:|#)/.test(target));

/** `a/{b,c}` → both, by name or as a module; of a pattern with `*`, the folder before it. */
function exists(path: string): boolean {
  const braces = /^(.*)\{([^}]*)\}(.*)$/.exec(path);
  if (braces !== null) return braces[2]!.split(',').every((part) => exists(braces[1]! + part + braces[3]!));
  const place = join(root, path.replace(/[^/]*\*.*$/, ''));
  return existsSync(place) || existsSync(`${place}.ts`);
}

const missing = (file: string, markdown: string) => [
  ...pathsOf(markdown).filter((path) => !exists(path)),
  ...linksOf(markdown).filter((link) => !existsSync(join(root, dirname(file), link.replace(/#.*$/, '')))),
];

describe('paths in the documents', () => {
  it.each(documentFiles())('%s names what is there', (file) => {
    expect(missing(file, readDocument(file))).toEqual([]);
  });

  it('are found and looked for', () => {
    const page = 'See `cli/main.ts`, `cli/nothing.ts`, `shared/{rl,none}`, [a](servers.md), [b](gone.md#x).';
    expect(missing('docs/page.md', page)).toEqual(['cli/nothing.ts', 'shared/{rl,none}', 'gone.md#x']);
  });
});
