/**
 * The dashboard in real Chromium over a real finished run and one that trains while it is looked at: every page, the
 * way between them, the keys, live updates, links to and from the Temporal UI, narrow and dark, without an error on the
 * console and without a serious finding of axe.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { serveDashboard } from '../../cli/dashboard/serve.ts';
import type { Dashboard } from '../../cli/dashboard/serve.ts';
import { loadDatasets } from '../../cli/datasets.ts';
import { htmlReport } from '../../cli/report/html-report.ts';
import { readReportData } from '../../cli/report/report-data.ts';
import { loadRecipe } from '../../cli/recipes.ts';
import { temporalUiLink } from '../../cli/stack/addresses.ts';
import { startRun } from '../../cli/start-run.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { chromiumPath, openBrowser } from '../helpers/browser.ts';
import type { Browser } from '../helpers/browser.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';
import type { WorkerProcess } from '../helpers/worker-process.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let store: Store;
let client: Client;
let connection: Connection;
let worker: WorkerProcess;
let dashboard: Dashboard;
let browser: Browser;
let uiUrl: string;

async function start(runId: string, set: string[] = []): Promise<void> {
  const recipe = await loadRecipe({ recipe: 'smoke', set });
  const datasets = await loadDatasets(recipe);
  const config = resolveTemporalConfig({});
  await startRun(store, client, { runId, recipe, datasets, config, dashboardUrl: dashboard.url });
}

beforeAll(async () => {
  if (chromiumPath === null) return;
  const stack = inject('stack');
  uiUrl = stack.uiUrl!;
  store = await openStore({ uri: stack.mongoUri, database: stack.database });
  connection = await Connection.connect({ address: stack.temporalAddress });
  client = new Client({ connection, namespace: stack.namespace });
  const temporalUrl = temporalUiLink(uiUrl, stack.namespace);
  dashboard = await serveDashboard({ store, host: '127.0.0.1', port: 0, temporalUrl });
  browser = await openBrowser([dashboard.url, uiUrl]);
  worker = await startWorkerProcess('all');
  await start('seen');
  await client.workflow.getHandle('seen').result();
});
afterAll(async () => {
  await worker?.stop();
  await browser?.close();
  await dashboard?.close();
  await connection?.close();
  await store?.close();
});

/** Ids of serious and critical findings, with the first element of each. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200) + ' ' + nodes[0].failureSummary))`,
  );
}

const overflow = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const question = '/runs/seen/stage-01/iter-002/q-000';
/** A design of the finished run that was executed: its path. */
async function executedDesign(): Promise<string> {
  const found = await store.executions.findOne({ batchId: 'seen/stage-02/iter-002' });
  return found!.designId;
}

describe.skipIf(chromiumPath === null)('the dashboard', () => {
  it('shows every page at 1280 and 390 px, light and dark, without errors and accessibly', async () => {
    const design = await executedDesign();
    const pages = [
      '/',
      '/runs/seen',
      '/runs/seen/stage-01',
      '/runs/seen/stage-02-designer',
      '/runs/seen/stage-01/iter-002',
      question,
      `/runs/${design}`,
      `/runs/${design}/e-0`,
      `/runs/${design}/e-0/c-0000`,
      '/runs/seen/eval-stage-01',
      '/runs/seen/eval-stage-01/q-001',
      '/runs/seen/versions',
      '/runs/seen@latest',
      '/runs/seen/v000003',
      '/compare',
      '/compare?run=seen',
    ];
    for (const [width, colours] of [
      [1280, 'light'],
      [390, 'dark'],
    ] as const) {
      const page = await browser.page(width, colours);
      for (const path of pages) {
        const answer = await page.goto(`${dashboard.url}${path}`, { waitUntil: 'load' });
        const seen = {
          path,
          status: answer!.status(),
          overflow: await overflow(page),
          problems: browser.takeProblems(),
        };
        expect({ ...seen, axe: await findings(page) }).toEqual({
          path,
          status: 200,
          overflow: 0,
          problems: [],
          axe: [],
        });
      }
      const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(back).toBe(colours === 'dark' ? 'rgb(20, 23, 28)' : 'rgb(255, 255, 255)');
      await page.close();
    }
  });

  it('leads from the first page to one execution and its advantage in three clicks', async () => {
    const credit = await store.credits.findOne({ role: 'executor', batchId: 'seen/stage-02/iter-002' });
    expect(credit).not.toBeNull();
    const page = await browser.page();
    await page.goto(dashboard.url);
    await page.click('a[href="/runs/seen"]');
    await page.click('#iterations a[href="/runs/seen/stage-02/iter-002"]');
    await page.click(`a.cell[href="/runs/${credit!._id}"]`);
    await page.waitForURL(`**/runs/${credit!._id}`);
    const node = await page.locator('#node').innerText();
    const sign = credit!.advantage > 0 ? '+' : '';
    expect(node).toContain(`${sign}${credit!.advantage.toFixed(3)}`);
    const calls = await store.calls.find({ executionId: credit!._id }).toArray();
    expect(calls.length).toBeGreaterThan(0);
    for (const { answer, messages } of calls) {
      expect(node).toContain(answer.text.trim().split('\n')[0]);
      expect(node).toContain(messages!.at(-1)!.content.trim().split('\n')[0]);
    }
    await page.close();
  });

  it('shows the numbers of the store', async () => {
    const page = await browser.page();
    await page.goto(`${dashboard.url}/runs/seen/stage-01/iter-002`);
    const cells = await page.$$eval('a.cell', (links) =>
      links.map((link): [string, string] => [String(link.getAttribute('href')), String(link.textContent)]),
    );
    const verdicts = await store.verdicts.find({ batchId: 'seen/stage-01/iter-002' }).toArray();
    expect(Object.fromEntries(cells)).toEqual(
      Object.fromEntries(verdicts.map(({ _id, reward }) => [`/runs/${_id}`, String(reward)])),
    );
    await page.goto(`${dashboard.url}/runs/seen`);
    const chart = JSON.parse((await page.locator('#data-reward').textContent())!) as { series: { values: number[] }[] };
    const iterations = await store.iterations.find({ runId: 'seen' }).sort({ stage: 1, iteration: 1 }).toArray();
    expect(chart.series[0]!.values).toEqual(
      iterations.map(({ metrics }) => Number(metrics.meanReward!.toPrecision(5))),
    );
    await page.close();
  });

  it('follows the keys: next, up, charts, help', async () => {
    const page = await browser.page();
    await page.goto(`${dashboard.url}/runs/seen/stage-01/iter-001`);
    await page.keyboard.press('j');
    await page.waitForURL('**/runs/seen/stage-01/iter-002');
    await page.keyboard.press('j');
    await page.waitForURL('**/runs/seen/stage-02/iter-001');
    await page.keyboard.press('u');
    await page.waitForURL('**/runs/seen/stage-02');
    await page.keyboard.press('u');
    await page.waitForURL('**/runs/seen');
    await page.focus('figure[data-chart="reward"] svg');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#tip').innerText()).toMatch(/^stage 1 · iteration 2\nreward: \d/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/runs/seen/stage-01/iter-002');
    await page.keyboard.press('?');
    expect(await page.locator('#key-list').isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.waitForURL(`${dashboard.url}/`);
    expect(browser.takeProblems()).toEqual([]);
    await page.close();
  });

  it('links to the Temporal UI and back', async () => {
    // A browser of its own: the Temporal UI asks its makers for the newest version, which is none of our pages' errors.
    const other = await openBrowser([]);
    const page = await other.page();
    await page.goto(`${dashboard.url}${question}`);
    await page.click('a.temporal');
    await page.waitForURL(`${uiUrl}/namespaces/default/workflows/seen%2Fstage-01%2Fiter-002%2Fq-000/*/timeline`);
    await page.goto(page.url().replace(/timeline$/, 'user-metadata'));
    const frames = () => page.frames().map((frame) => frame.locator('a', { hasText: 'dashboard' }));
    await expect
      .poll(async () => (await Promise.all(frames().map((link) => link.count()))).some((count) => count > 0), {
        timeout: 90_000,
      })
      .toBe(true);
    const counts = await Promise.all(frames().map((link) => link.count()));
    const link = frames()[counts.findIndex((count) => count > 0)]!.first();
    expect(await link.getAttribute('href')).toBe(`${dashboard.url}${question}`);
    await other.close();
  });

  it('follows a run that trains, and leaves open what the reader opened', async () => {
    await start('watched', ['stages.iterationsPerStage=3', 'stages.count=1']);
    const run = client.workflow.getHandle('watched');
    // It may not end before it is looked at.
    await run.signal('pause');
    const page = await browser.page();
    await page.goto(`${dashboard.url}/runs/watched`);
    await expect.poll(() => page.locator('#live').innerText()).toBe('live');
    await page.click('#configuration summary');
    await run.signal('unpause');
    await expect.poll(() => page.locator('#iterations tbody tr').count(), { timeout: 120_000 }).toBe(3);
    await expect.poll(() => page.locator('h1 .status').innerText(), { timeout: 60_000 }).toBe('finished');
    await expect.poll(() => page.locator('#live').innerText()).toBe('');
    expect(await page.locator('#configuration details').first().getAttribute('open')).not.toBeNull();
    expect(await page.locator('#evaluations tbody tr').count()).toBe(2);
    expect(browser.takeProblems()).toEqual([]);
    await page.close();
  });

  it('stands in a report that needs nothing else', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'metaagentx-report-')), 'seen.html');
    writeFileSync(file, await htmlReport(await readReportData(store, 'seen'), 'test'));
    const page = await browser.page(390, 'dark');
    await page.goto(pathToFileURL(file).href);
    expect({ overflow: await overflow(page), axe: await findings(page) }).toEqual({ overflow: 0, axe: [] });
    await page.focus('figure[data-chart="reward"] svg');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#tip').innerText()).toMatch(/^stage 1 · iteration 1\nreward: \d/);
    expect(await page.locator('a[href]').count()).toBe(0);
    expect(await page.locator('#designs .question-samples .script').count()).toBeGreaterThan(0);
    expect(browser.takeProblems().filter((text) => !text.startsWith('foreign request: file:'))).toEqual([]);
    await page.close();
    rmSync(dirname(file), { recursive: true });
  });

  it('is readable without scripts', async () => {
    const text = await (await fetch(`${dashboard.url}/runs/seen`)).text();
    expect(text).toContain('href="/runs/seen/stage-01/iter-001"');
    expect(text).toMatch(/<path class="line s0" d="M/);
  });
});
