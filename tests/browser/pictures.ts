/**
 * The pictures of docs/images: what a finished run looks like in the Temporal UI and in our dashboard, on the way from
 * the run to one execution. Both must be serving (`npx metaagentx up`). Usage:
 * `npm run pictures -- RUN TEMPORAL_UI DASHBOARD`, the addresses without a slash at the end.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openBrowser } from '../helpers/browser.ts';

const folder = join(import.meta.dirname, '../../docs/images');

const [run, temporalUi, dashboard] = process.argv.slice(2);
if (run === undefined || temporalUi === undefined || dashboard === undefined) {
  console.error('usage: npm run pictures -- RUN TEMPORAL_UI DASHBOARD');
  process.exit(2);
}

const iteration = `${run}/stage-02/iter-015`;
const question = `${iteration}/q-003`;

/** Workflow pages of the Temporal UI, by picture. */
const workflows = {
  'temporal-run': run,
  'temporal-iteration': iteration,
  'temporal-question': question,
};

async function shoot(page: Page, name: string): Promise<void> {
  // Charts and lists of either page come after its load.
  await page.waitForTimeout(3_000);
  await page.screenshot({ path: join(folder, `${name}.jpg`), type: 'jpeg', quality: 72 });
  console.log(`docs/images/${name}.jpg`);
}

mkdirSync(folder, { recursive: true });
const browser = await openBrowser([temporalUi, dashboard]);
try {
  const page = await browser.page();
  await page.goto(`${temporalUi}/namespaces/default/workflows?query=${encodeURIComponent(`TrainingRun="${run}"`)}`);
  await shoot(page, 'temporal-list');
  for (const [name, workflowId] of Object.entries(workflows)) {
    await page.goto(`${temporalUi}/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
    await shoot(page, name);
  }
  await page.goto(dashboard);
  await shoot(page, 'dashboard-runs');
  await page.click(`a[href="/runs/${run}"]`);
  await shoot(page, 'dashboard-run');
  await page.click(`#iterations a[href="/runs/${iteration}"]`);
  await shoot(page, 'dashboard-iteration');
  await page.locator(`a.cell[href^="/runs/${question}/"]`).first().click();
  await shoot(page, 'dashboard-execution');
} finally {
  await browser.close();
}
