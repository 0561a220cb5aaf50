import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cloneRoot } from '../bootstrap/paths.mjs';
import { commandTable } from './commands/table.ts';
import { cliReference } from './reference.ts';

it('docs/cli.md is what the program says, and every command gives examples', async () => {
  const text = await cliReference();
  await expect(text).toMatchFileSnapshot('../docs/cli.md');
  for (const { name } of commandTable) expect(text).toContain(`\n  $ metaagentx ${name}`);
});

it('studies and recipes that help texts name are there', async () => {
  const text = await cliReference();
  const named = [...text.matchAll(/metaagentx (study)(?: show)? ((?:smoke|toy)\S*)|--(recipe) ([a-z]+)$/gm)];
  const missing = named
    .map(([, study, name, , recipe]) => (study ? `studies/${name}.ts` : `${recipe}.ts`))
    .filter((file) => !existsSync(join(cloneRoot, 'runs', file)));
  expect({ named: named.length > 3, missing }).toEqual({ named: true, missing: [] });
});
