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

/** Where the way leads: the toy recipe's last iteration. */
const iteration = `${run}/stage-02/iter-015`;

async function shoot(page: Page, name: string, settleMs = 3_000): Promise<void> {
  // Charts and lists of either page come after its load.
  await page.waitForTimeout(settleMs);
  await page.screenshot({ path: join(folder, `${name}.jpg`), type: 'jpeg', quality: 72 });
  console.log(`docs/images/${name}.jpg`);
}

/** The question of the iteration's page whose executions differ most in reward: only there is an advantage to see. */
async function contestedQuestion(page: Page): Promise<string> {
  const cells = (await page.locator('a.cell').evaluateAll((links) =>
    links.map((link) => ({
      question: (link.getAttribute('href') ?? '').slice('/runs/'.length).replace(/\/d-\d+\/e-\d+$/, ''),
      reward: Number(link.textContent),
    })),
  )) as { question: string; reward: number }[];
  const balance = (question: string) => {
    const rewards = cells.filter((cell) => cell.question === question).map((cell) => cell.reward);
    return Math.abs(rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length - 0.5);
  };
  const [first] = [...new Set(cells.map((cell) => cell.question))].sort((a, b) => balance(a) - balance(b));
  if (first === undefined) throw new Error(`${iteration} has no executions: was the run the toy recipe, to its end?`);
  return first;
}

mkdirSync(folder, { recursive: true });
const browser = await openBrowser([temporalUi, dashboard]);
try {
  const page = await browser.page();
  await page.goto(dashboard);
  await page.click(`a[href="/runs/${run}"]`);
  await shoot(page, 'dashboard-run');
  await page.click(`#iterations a[href="/runs/${iteration}"]`);
  await shoot(page, 'dashboard-iteration');
  const question = await contestedQuestion(page);
  await page.locator(`a.cell[href^="/runs/${question}/"]`).first().click();
  await shoot(page, 'dashboard-execution');

  const workflowPage = (workflowId: string, tab: string) =>
    `${temporalUi}/namespaces/default/workflows/${encodeURIComponent(workflowId)}${tab}`;
  await page.goto(`${temporalUi}/namespaces/default/workflows?query=${encodeURIComponent(`TrainingRun="${run}"`)}`);
  await shoot(page, 'temporal-list');
  await page.goto(workflowPage(run, ''));
  await page.getByText('User Metadata', { exact: true }).first().click();
  await shoot(page, 'temporal-details', 12_000);
  // The timeline stands below the input and the result.
  await page.setViewportSize({ width: 1280, height: 1250 });
  for (const [name, workflowId] of [
    ['temporal-run', run],
    ['temporal-stage', `${run}/stage-02-designer`],
    ['temporal-iteration', iteration],
    ['temporal-question', question],
  ] as const) {
    await page.goto(workflowPage(workflowId, ''));
    await shoot(page, name, 12_000);
  }
} finally {
  await browser.close();
}
