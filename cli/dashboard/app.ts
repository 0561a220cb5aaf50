/**
 * The dashboard's addresses. Reads the store, writes nothing. Every answer forbids scripts, styles and connections that
 * are not its own, and names another site's page could have made a browser use are refused.
 */
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { readRun } from '../../activities/run-context.ts';
import type { Store } from '../../activities/store/connect.ts';
import { isDomainError } from '../../shared/errors.ts';
import type { FailureName } from '../../shared/errors.ts';
import { parseTarget } from '../inspect/target.ts';
import type { Target } from '../inspect/target.ts';
import { hostNameOf } from '../listen.ts';
import { html } from './html.ts';
import { liveEvents } from './live.ts';
import { batchPage, readBatchRecords } from './pages/batch-page.ts';
import { comparePage } from './pages/compare-page.ts';
import { layout } from './pages/layout.ts';
import type { Page, Site } from './pages/layout.ts';
import { questionPage } from './pages/question-page.ts';
import { runPage, stagePage } from './pages/run-page.ts';
import { runsPage } from './pages/runs-page.ts';
import { versionPage, versionsPage } from './pages/versions-page.ts';
import { readBatchData } from './read/batch-data.ts';
import { readQuestionData } from './read/question-data.ts';
import { readRunData } from './read/run-data.ts';
import { readWholeText, textKinds } from './read/whole-text.ts';

export interface DashboardOptions extends Site {
  store: Store;
  /** Host names that a browser may use; null: any. Keeps other sites' names from being pointed at this machine. */
  hosts: readonly string[] | null;
}

const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const assetTypes: Record<string, string> = {
  'app.css': 'text/css; charset=utf-8',
  'charts.css': 'text/css; charset=utf-8',
  'nodes.css': 'text/css; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'charts.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

export function dashboardApp(options: DashboardOptions): Hono {
  const { store, hosts } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const host = hostNameOf(c.req.header('host') ?? '');
    if (hosts !== null && !hosts.includes(host))
      return c.text(`this dashboard does not answer to the name '${host}'\n`, 421);
    await next();
    c.header('Content-Security-Policy', contentPolicy);
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
    if (c.res.headers.get('Cache-Control') === null) c.header('Cache-Control', 'no-store');
  });
  const show = (c: Context, page: Page, status: 200 | 404 | 503 = 200) => c.html(layout(page, options).markup, status);

  app.get('/', async (c) => {
    const before = Number(c.req.query('before'));
    return show(c, await runsPage(store, before > 0 ? before : null));
  });
  app.get('/compare', async (c) => show(c, await comparePage(store, c.req.queries('run') ?? [])));
  app.get('/assets/:file', async (c) => {
    const file = c.req.param('file');
    const type = assetTypes[file];
    if (type === undefined) return c.notFound();
    const text = await readFile(new URL(`./assets/${file}`, import.meta.url), 'utf8');
    return c.body(text, 200, { 'Content-Type': type, 'Cache-Control': 'no-cache' });
  });
  app.get('/text/:kind/*', async (c) => {
    const kind = textKinds.find((known) => known === c.req.param('kind'));
    const text = kind === undefined ? null : await readWholeText(store, kind, rest(c, `/text/${kind}/`));
    return text === null ? c.notFound() : c.text(text);
  });
  app.get('/live/*', (c) => liveEvents(c, store, rest(c, '/live/')));
  app.get('/runs/*', async (c) => show(c, await nodePage(store, rest(c, '/runs/'))));
  app.notFound((c) => show(c, problemPage('Not found', `there is no page ${c.req.path}`), 404));
  app.onError((error, c) => {
    if (isDomainError(error) && leadNowhere.includes(error.name))
      return show(c, problemPage('Not found', error.message), 404);
    return show(c, problemPage('This page could not be made', `${error.name}: ${error.message}`), 503);
  });
  return app;
}

/** What is wrong with an address of which there is no page: its form, or that nothing is stored under it. */
const leadNowhere: readonly FailureName[] = ['InvalidInput', 'RunNotFound', 'NotFound', 'CheckpointMissing'];

const problemPage = (title: string, message: string): Page => ({
  title,
  path: null,
  body: html`<h1>${title}</h1><p>${message}</p><p><a href="/">all runs</a></p>`,
});

/** The path behind `prefix`, decoded; ids hold slashes of their own. */
function rest(c: Context, prefix: string): string {
  const path = new URL(c.req.url).pathname.slice(prefix.length);
  try {
    return decodeURIComponent(path).replace(/\/+$/, '');
  } catch {
    return path;
  }
}

/** Throws one of `leadNowhere`. */
async function nodePage(store: Store, path: string): Promise<Page> {
  if (path.endsWith('/versions'))
    return versionsPage(store, await readRunData(store, path.slice(0, -'/versions'.length)));
  return targetPage(store, parseTarget(path));
}

async function targetPage(store: Store, target: Target): Promise<Page> {
  switch (target.level) {
    case 'run':
      return runPage(await readRunData(store, target.runId));
    case 'stage':
      return stagePage(await readRunData(store, target.runId), target.stage);
    case 'policy':
      return versionPage(store, await readRunData(store, target.runId), target.version);
  }
  const run = await readRun(store, target.runId);
  const records = await readBatchRecords(store, target);
  if (target.level === 'batch') return batchPage(run, target, await readBatchData({ store, run }, target), records);
  const open = records.iteration === null && records.evaluation === null && target.batch.kind !== 'solve';
  return questionPage(run, target, await readQuestionData({ store, run }, target), open);
}
