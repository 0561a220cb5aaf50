/** Recipes and studies in a folder of the user's own, which is no package. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readDefinitionFile } from './definition-file.ts';
import { loadRecipe } from './recipes.ts';
import { loadStudy } from './study/prepare-study.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-definition-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const recipe = `{
  name: 'mine', description: 'of a folder of my own',
  policy: { init: { type: 'checkpoint', directory: 'somewhere' } },
  questions: { train: { type: 'toy', count: 8 }, heldOut: { type: 'toy', count: 4 } },
  prompts: { form: 'terse' },
}`;
const exporting = `const mine: { name: string } = ${recipe};\nexport default mine;\n`;

it.each(['mine.ts', 'mine.mts'])('reads a recipe from %s', async (name) => {
  expect((await loadRecipe({ recipe: fileOf(name, exporting), seed: 7 })).seed).toBe(7);
});

it('reads modules without types, and JSON', async () => {
  for (const [name, text] of [
    ['mine.js', `export default ${recipe}`],
    ['mine.mjs', `export default ${recipe}`],
    ['mine.json', JSON.stringify({ name: 'mine' })],
  ] as const)
    expect(await readDefinitionFile('recipe', fileOf(name, text))).toMatchObject({ name: 'mine' });
});

it('reads a study with helpers beside it', async () => {
  fileOf('seeds.ts', 'export const seeds: number[] = [3, 4];\n');
  const text = `import { seeds } from './seeds.ts';
export default { name: 'own', description: 'mine', recipe: 'smoke', seeds, variants: { plain: {} } };\n`;
  expect((await loadStudy(fileOf('own-study.ts', text))).seeds).toEqual([3, 4]);
});

it.each([
  ['absent.ts', null, /study '.*absent\.ts' cannot be read: there is no such file/],
  ['text.yaml', 'name: x', /must end in \.ts, \.mts, \.js, \.mjs or \.json/],
  ['broken.json', '{', /is not JSON: /],
  ['broken.ts', 'export default {', /cannot be loaded: /],
  ['nothing.ts', 'export const name = 1;', /has no default export/],
])('refuses %s', async (name, text, said) => {
  const path = text === null ? join(folder, name) : fileOf(name, text);
  await expect(loadStudy(path)).rejects.toMatchObject({
    name: 'InvalidInput',
    message: expect.stringMatching(said) as string,
  });
});
