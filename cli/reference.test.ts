import { expect, it } from 'vitest';
import { commandTable } from './commands/table.ts';
import { cliReference } from './reference.ts';

it('docs/cli.md is what the program says, and every command gives examples', async () => {
  const text = await cliReference();
  await expect(text).toMatchFileSnapshot('../docs/cli.md');
  for (const { name } of commandTable) expect(text).toContain(`\n  $ metaagentx ${name}`);
});
