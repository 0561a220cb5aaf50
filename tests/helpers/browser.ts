/**
 * Chromium for tests of pages. Debian's package or METAAGENTX_CHROMIUM; where there is none, tests skip and say so.
 * Playwright drives it; nothing is downloaded.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';

const candidates = [process.env.METAAGENTX_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'];
/** Null where this machine has none. */
export const chromiumPath = candidates.find((path) => path !== undefined && existsSync(path)) ?? null;

if (chromiumPath === null)
  console.error('browser tests are skipped: no Chromium. Install the package `chromium`, or set METAAGENTX_CHROMIUM');

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** For a browser that starts, a page that loads, an element that is waited for. */
const patienceMs = 90_000;

export interface Browser {
  /** A page at this width and in this colour scheme; its console errors and failures are collected in `problems`. */
  page(width?: number, colours?: 'light' | 'dark'): Promise<Page>;
  /** Console errors, uncaught errors, dialogs, failed and foreign requests since the last `take`. */
  takeProblems(): string[];
  close(): Promise<void>;
}

/** `origins`: whose requests are expected; any other is a problem. */
export async function openBrowser(origins: readonly string[]): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'metaagentx-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath!,
    args: flags,
    viewport: { width: 1280, height: 900 },
    timeout: patienceMs,
  });
  context.setDefaultTimeout(patienceMs);
  let problems: string[] = [];
  const isOurs = (url: string) => origins.some((origin) => url.startsWith(`${origin}/`)) || url.startsWith('data:');
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => problems.push(`uncaught: ${error.error().message}`));
  context.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!isOurs(request.url())) problems.push(`foreign request: ${request.url()}`);
  });
  return {
    async page(width = 1280, colours = 'light') {
      const page = await context.newPage();
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: colours });
      return page;
    },
    takeProblems() {
      const taken = problems;
      problems = [];
      return taken;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
