/**
 * The dashboard shows texts that models wrote, and models are hostile: markup, scripts, control characters and very long
 * words must stay text, and the layout must hold. In real Chromium, on every page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import type { Store } from '../../activities/store/connect.ts';
import { serveDashboard } from '../../cli/dashboard/serve.ts';
import type { Dashboard } from '../../cli/dashboard/serve.ts';
import { htmlReport } from '../../cli/report/html-report.ts';
import { readReportData } from '../../cli/report/report-data.ts';
import { chromiumPath, openBrowser } from '../helpers/browser.ts';
import type { Browser } from '../helpers/browser.ts';
import { storeRun } from '../helpers/stored-run.ts';

const attacks = [
  '<script>window.hacked=1;alert(1)</script>',
  '</script><script>window.hacked=1</script>',
  '</pre></td></table></main><img src=x onerror="window.hacked=1">',
  '"><svg onload="window.hacked=1"><a href="javascript:window.hacked=1">click</a>',
  `' autofocus onfocus='window.hacked=1`,
  '${window.hacked=1}{{constructor.constructor("window.hacked=1")()}}<!--',
  '<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css><base href=//evil.example>',
  '<meta http-equiv=refresh content="0;url=//evil.example"><iframe src=//evil.example></iframe>',
  '<form action=//evil.example><button>send</button></form><template><slot>',
  ']]></title></style></textarea></noscript></svg></math><plaintext>',
  '\u0000\u0001\u001b[31m\u0007\u202eabc\u200b\u2028\ufeff\ud800',
  'long'.repeat(60_000),
  `ansi \u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007 \\u003cscript\\u003e`,
  'return ensemble(agent("</script><script>window.hacked=1</script>"),2) // `${<b>}` /*',
];

let store: Store;
let dashboard: Dashboard;
let browser: Browser;
beforeAll(async () => {
  if (chromiumPath === null) return;
  const { mongoUri, database } = inject('stack');
  store = await openStore({ uri: mongoUri, database });
  let turn = 0;
  const shape = { stages: [2, 1], questions: 3, designs: 2, executions: 2, calls: 3 };
  // Each text is another attack: over the run, every field meets many of them.
  await storeRun(store, {
    ...shape,
    runId: 'hostile',
    text: () => attacks[turn++ % attacks.length]!,
    status: 'failed',
  });
  await storeRun(store, { ...shape, runId: 'hostile-2', text: () => attacks[turn++ % attacks.length]! });
  dashboard = await serveDashboard({ store, host: '127.0.0.1', port: 0, temporalUrl: () => null });
  browser = await openBrowser([dashboard.url]);
});
afterAll(async () => {
  await browser?.close();
  await dashboard?.close();
  await store?.close();
});

const paths = [
  '/',
  '/compare',
  '/compare?run=hostile&run=hostile-2',
  '/runs/hostile',
  '/runs/hostile/stage-01',
  '/runs/hostile/stage-01/iter-001',
  ...[0, 1, 2].flatMap((slot) => [
    `/runs/hostile/stage-01/iter-001/q-${slot}`,
    `/runs/hostile/stage-01/iter-001/q-${slot}/d-0`,
    `/runs/hostile/stage-01/iter-001/q-${slot}/d-1`,
    `/runs/hostile/stage-01/iter-001/q-${slot}/d-1/e-1`,
    `/runs/hostile/stage-01/iter-001/q-${slot}/d-1/e-1/c-2`,
  ]),
  '/runs/hostile/eval-stage-01',
  '/runs/hostile/versions',
  '/runs/hostile@v1',
  '/runs/%3Cscript%3Ewindow.hacked=1%3C%2Fscript%3E',
  '/runs/hostile/stage-01/iter-001/q-0/d-%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E',
];

interface State {
  hacked: number | null;
  foreign: string[];
  handlers: number;
  overflow: number;
  ended: boolean;
}

/** Runs in the page; text, for this program knows no browser's types. */
const probe = String.raw`(() => {
  const bare = (element) => element.cloneNode(false).outerHTML.replace(/(title|aria-label|value)="[^"]*"/g, '');
  const suspects = [...document.querySelectorAll('img, iframe, object, embed, base, meta, style, form, script, link, a')];
  return {
    hacked: window.hacked ?? null,
    foreign: suspects.map(bare).filter((tag) => /evil|hacked|javascript:|<(img|iframe|style|base)|http-equiv/.test(tag)),
    handlers: [...document.querySelectorAll('*')].filter((e) => e.getAttributeNames().some((n) => n.startsWith('on'))).length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    ended: document.querySelector('main') !== null,
  };
})()`;
const stateOf = (page: Page) => page.evaluate<State>(probe);

describe.skipIf(chromiumPath === null)('hostile text', () => {
  it.each([1280, 390])('runs nothing, calls nobody and keeps the layout at %i px, on every page', async (width) => {
    const page = await browser.page(width);
    for (const path of paths) {
      const answer = await page.goto(`${dashboard.url}${path}`, { waitUntil: 'load' });
      const missing = path.includes('%3C');
      expect(answer!.status(), path).toBe(missing ? 404 : 200);
      await page.evaluate(`document.querySelectorAll('details').forEach((details) => (details.open = true))`);
      const state = await stateOf(page);
      expect({ path, ...state }).toEqual({ path, hacked: null, foreign: [], handlers: 0, overflow: 0, ended: true });
      const problems = browser.takeProblems();
      expect({ path, problems: missing ? problems.filter((text) => !text.includes('404')) : problems }).toEqual({
        path,
        problems: [],
      });
    }
    await page.close();
  });

  it('runs nothing in a report either', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'metaagentx-report-')), 'hostile.html');
    writeFileSync(file, await htmlReport(await readReportData(store, 'hostile'), attacks[0]!));
    const page = await browser.page(390);
    await page.goto(pathToFileURL(file).href);
    const { foreign, ...state } = await stateOf(page);
    expect(state).toEqual({ hacked: null, handlers: 0, overflow: 0, ended: true });
    expect(foreign.filter((tag) => tag !== '<style></style>' && !tag.includes('Content-Security-Policy'))).toEqual([]);
    expect(browser.takeProblems().filter((text) => !text.startsWith('foreign request: file:'))).toEqual([]);
    await page.close();
    rmSync(dirname(file), { recursive: true });
  });

  it('shows the text itself, with what cannot be seen made visible', async () => {
    const text = await (await fetch(`${dashboard.url}/runs/hostile/stage-01/iter-001/q-0/d-1/e-1`)).text();
    const page = await browser.page();
    await page.goto(`${dashboard.url}/runs/hostile/stage-01/iter-001/q-0/d-1/e-1`);
    const shown = await page.locator('main').innerText();
    const seen = attacks.filter((attack) => attack.length < 200 && attack.startsWith('<') && shown.includes(attack));
    expect(seen.length).toBeGreaterThan(2);
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    await page.close();
  });

  it('cuts a long text and gives the whole of it as plain text', async () => {
    const url = `${dashboard.url}/runs/hostile/stage-01/iter-001/q-0/d-1/e-1`;
    const page = await (await fetch(url)).text();
    expect(page.length).toBeLessThan(200_000);
    const links = [...page.matchAll(/href="(\/text\/[^"]+)">the whole text/g)].map(([, href]) => href!);
    expect(links.length).toBeGreaterThan(0);
    const whole = await fetch(`${dashboard.url}${links[0]}`);
    expect(whole.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await whole.text()).includes('long'.repeat(60_000))).toBe(true);
  });

  it('forbids what is not its own, and does not answer to another name', async () => {
    const { headers } = await fetch(`${dashboard.url}/runs/hostile`);
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${dashboard.url}/`, { headers: { host: 'evil.example' } }, (answer) => {
        resolve(answer.statusCode);
        answer.resume();
      });
      asked.once('error', reject).end();
    });
    expect(status).toBe(421);
  });
});
