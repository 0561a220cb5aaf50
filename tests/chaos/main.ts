/**
 * `npm run chaos -- --seed 1 --seeds 20 --faults 12 --minutes 5`: an undisturbed run, then one run a seed under its
 * schedule of faults. Prints a line a seed and ends with exit code 1 if any run lost, doubled or changed anything. With
 * `--calm FILE` the undisturbed run's fingerprint is kept there, so that seeds can be run one command at a time.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { longer, runCampaign } from './campaign.ts';
import type { Campaign } from './campaign.ts';
import type { Fingerprint } from '../../audit/report.ts';
import { scheduleOf } from './schedule.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    faults: { type: 'string', default: '14' },
    /** The longest that one run may take. */
    minutes: { type: 'string', default: '8' },
    /** A JSON line a seed is appended to this file. */
    out: { type: 'string' },
    calm: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    set: { type: 'string', multiple: true, default: longer },
  },
});

function whole(name: 'seed' | 'seeds' | 'faults' | 'minutes'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} is '${values[name]}': expected a whole number`);
  process.exit(2);
}

const startedMs = performance.now();
const since = () => `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} s`;
const log = (line: string) => {
  if (values.verbose || !line.startsWith('servers')) console.log(`${since()}  ${line}`);
};

const parts = ['versions', 'credits', 'samples'] as const;

function judged({ report, orphans }: Campaign, expected: Fingerprint | null): string[] {
  const changed = parts.filter((part) => expected !== null && report.fingerprint[part] !== expected[part]);
  return [
    ...report.findings.map(({ check, id, problem }) => `${check}: ${id} ${problem}`),
    ...changed.map((part) => `${part} differ from the undisturbed run's`),
    ...orphans.map((orphan) => `left behind: ${orphan}`),
  ];
}

/** The undisturbed run's, from the file where it is kept. Ends the process if that run itself is not whole. */
async function calmFingerprint(): Promise<Fingerprint> {
  if (values.calm !== undefined && existsSync(values.calm)) {
    return JSON.parse(readFileSync(values.calm, 'utf8')) as Fingerprint;
  }
  log('undisturbed run');
  const calm = await runCampaign({ ...common, runId: 'calm', faults: [] });
  const problems = judged(calm, null);
  log(`undisturbed: ${calm.seconds.toFixed(1)} s, ${problems.length} problems`);
  for (const problem of problems) log(`  WRONG ${problem}`);
  if (problems.length > 0) process.exit(1);
  if (values.calm !== undefined) writeFileSync(values.calm, JSON.stringify(calm.report.fingerprint));
  return calm.report.fingerprint;
}

const [first, count, faults, minutes] = [whole('seed'), whole('seeds'), whole('faults'), whole('minutes')];
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort());
const common = { set: values.set, withinMs: minutes * 60_000, log, signal: interrupted.signal };
const expected = await calmFingerprint();
let bad = 0;
for (let seed = first; seed < first + count && !interrupted.signal.aborted; seed++) {
  log(`seed ${seed}`);
  const schedule = scheduleOf(seed, faults, { fromMs: 1_500, toMs: 5_000 });
  let problems: string[];
  let campaign: Campaign | null = null;
  try {
    campaign = await runCampaign({ ...common, runId: `seed-${seed}`, faults: schedule });
    problems = judged(campaign, expected);
  } catch (error) {
    problems = [(error as Error).message];
  }
  bad += problems.length;
  for (const problem of problems) log(`  WRONG ${problem}`);
  for (const note of campaign?.report.notes ?? []) log(`  ${note}`);
  const took = campaign === null ? 'not finished' : `${campaign.seconds.toFixed(0)} s, ${campaign.hits.length} faults`;
  log(
    `seed ${seed}: ${took}, ${problems.length === 0 ? 'nothing lost, doubled or changed' : `${problems.length} problems`}`,
  );
  if (values.out !== undefined) {
    const { hits, seconds, report } = campaign ?? {};
    appendFileSync(values.out, `${JSON.stringify({ seed, problems, hits, seconds, notes: report?.notes })}\n`);
  }
}
process.exit(bad === 0 ? 0 : 1);
