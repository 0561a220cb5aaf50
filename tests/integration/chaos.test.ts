/**
 * The short form of `npm run chaos`: one undisturbed run and one under a seeded schedule of faults, each on servers and
 * workers of its own. The auditor finds nothing wrong with either, and both have the same versions, credits and samples.
 */
import { afterEach, expect, it, onTestFailed } from 'vitest';
import { runCampaign } from '../chaos/campaign.ts';
import type { Campaign } from '../chaos/campaign.ts';
import { scheduleOf } from '../chaos/schedule.ts';

const aborted = new AbortController();
afterEach(() => aborted.abort());

const lines: string[] = [];
const log = (line: string) => void lines.push(line);
const shorter = ['stages.iterationsPerStage=1', 'coldStart.chunks=1', 'evaluation.limit=0'];
const campaign = (runId: string, faults: Parameters<typeof runCampaign>[0]['faults']): Promise<Campaign> =>
  runCampaign({ runId, faults, set: shorter, withinMs: 400_000, log, signal: aborted.signal });

it(
  'processes killed, frozen and cut off by seed: nothing is lost, doubled or changed',
  { timeout: 900_000 },
  async () => {
    onTestFailed(() => console.error(lines.join('\n')));
    const calm = await campaign('calm', []);
    const hurt = await campaign('hurt', scheduleOf(8, 6, { fromMs: 1_000, toMs: 2_500 }));
    for (const { report, orphans } of [calm, hurt]) {
      expect(report.findings).toEqual([]);
      expect(orphans).toEqual([]);
    }
    expect(hurt.report.fingerprint).toEqual(calm.report.fingerprint);
    expect(calm.hits).toEqual([]);
    expect(hurt.hits.length).toBeGreaterThanOrEqual(4);
  },
);
