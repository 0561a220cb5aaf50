/**
 * The dashboard over a run of 300 iterations x 128 executions, against the goals: server time of a page under 200 ms, a
 * page under 1 MB, first paint in headless Chromium under 1 s. Fresh store, all of it on this machine.
 * Run: npm run bench:ui [-- requests]. Exit code 1 where a goal of the run page is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../activities/store/connect.ts';
import type { Store } from '../activities/store/connect.ts';
import { serveDashboard } from '../cli/dashboard/serve.ts';
import { ensureStack } from '../cli/stack/stack.ts';
import { chromiumPath, openBrowser } from '../tests/helpers/browser.ts';
import { localEnvironment } from '../tests/helpers/servers.ts';
import { coreShare, median, met, quantile, show } from './sandbox/row.ts';
import { executionsPerIteration, iterations, runId, seedRun } from './ui/seed.ts';

const goals = { serverMs: 200, bytes: 1_000_000, paintMs: 1_000 };
const requests = Number(process.argv[2] ?? 40);
const paints = 15;
/** The first answers of a process compile its code; they are counted apart. */
const warmups = 3;

const middle = `/runs/${runId}/stage-02/iter-040`;
const pages = {
  'run page': `/runs/${runId}`,
  'iteration page': middle,
  'question page': `${middle}/q-003`,
  'list of runs': '/',
};

async function measureServer(url: string): Promise<{ first: number; times: number[]; bytes: number }> {
  const once = async () => {
    const start = performance.now();
    const answer = await fetch(url);
    const { byteLength } = await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    return { ms: performance.now() - start, byteLength };
  };
  const first = await once();
  for (let turn = 1; turn < warmups; turn++) await once();
  const times: number[] = [];
  while (times.length < requests) times.push((await once()).ms);
  return { first: first.ms, times, bytes: first.byteLength };
}

interface Painted {
  firstPaint: number;
  load: number;
  bytes: number;
}

/** From the start of the navigation, by the browser's own clock; a context's second load finds styles in the cache. */
async function measurePaint(origin: string, path: string): Promise<Painted[]> {
  const browser = await openBrowser([origin]);
  const found: Painted[] = [];
  try {
    for (let turn = 0; turn < paints; turn++) {
      const page = await browser.page();
      await page.goto(`${origin}${path}`, { waitUntil: 'load' });
      found.push(
        await page.evaluate<Painted>(`new Promise((resolve) => {
          const look = () => {
            const paint = performance.getEntriesByName('first-contentful-paint')[0];
            const { loadEventEnd, encodedBodySize } = performance.getEntriesByType('navigation')[0];
            if (paint === undefined || loadEventEnd === 0) return setTimeout(look, 20);
            resolve({ firstPaint: paint.startTime, load: loadEventEnd, bytes: encodedBodySize });
          };
          look();
        })`),
      );
      await page.close();
    }
  } finally {
    await browser.close();
  }
  return found;
}

const ms = (values: readonly number[]) =>
  `median ${median(values).toFixed(0)}, p95 ${quantile(values, 0.95).toFixed(0)} ms`;
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;

async function counted(store: Store): Promise<string> {
  const [designs, executions, calls] = await Promise.all([
    store.designs.countDocuments({ runId }),
    store.executions.countDocuments({ runId }),
    store.calls.countDocuments({ runId }),
  ]);
  if (executions !== iterations * executionsPerIteration) throw new Error(`${executions} executions were stored`);
  return `${iterations} iterations, ${designs} designs, ${executions} executions, ${calls} calls`;
}

async function measure(store: Store): Promise<boolean> {
  const began = performance.now();
  await seedRun(store);
  show('stored', await counted(store), `${((performance.now() - began) / 1000).toFixed(0)} s`);
  const site = { store, host: '127.0.0.1', port: 0, temporalUrl: () => null };
  const dashboard = await serveDashboard(site);
  const kept: boolean[] = [];
  try {
    for (const [name, path] of Object.entries(pages)) {
      const share = coreShare();
      const { first, times, bytes } = await measureServer(dashboard.url + path);
      const fast = quantile(times, 0.95) < goals.serverMs;
      const small = bytes < goals.bytes;
      show(`${name}: server time (${requests} requests)`, ms(times), met(fast, `< ${goals.serverMs} ms`));
      show(`  first answer of the process to it`, `${first.toFixed(0)} ms`);
      show(`  size`, kilobytes(bytes), met(small, `< ${kilobytes(goals.bytes)}`));
      if (name === 'run page') kept.push(fast, small);
      if (chromiumPath !== null) {
        const seen = await measurePaint(dashboard.url, path);
        const painted = seen.map(({ firstPaint }) => firstPaint);
        const soon = quantile(painted, 0.95) < goals.paintMs;
        show(`  first contentful paint (${paints} loads)`, ms(painted), met(soon, `< ${goals.paintMs} ms`));
        show(`  loaded`, ms(seen.map(({ load }) => load)));
        if (name === 'run page') kept.push(soon);
      }
      show('  share of a core before and after', `${share.toFixed(0)} %, ${coreShare().toFixed(0)} %`);
    }
  } finally {
    await dashboard.close();
  }
  return kept.every(Boolean);
}

const stateDir = mkdtempSync(join(tmpdir(), 'metaagentx-bench-ui-'));
const ports = { temporal: 0, ui: 0, mongo: 0 };
const stack = await ensureStack({ stateDir, log: () => undefined, ports, env: localEnvironment() });
try {
  const store = await openStore({ uri: stack.addresses.mongoUri, database: stack.addresses.database });
  show('what', 'measured', 'goal');
  if (!(await measure(store).finally(() => store.close()))) process.exitCode = 1;
} finally {
  await stack.stop();
  rmSync(stateDir, { recursive: true, force: true });
}
