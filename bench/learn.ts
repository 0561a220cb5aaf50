/**
 * Does it learn, and does each role contribute? Trains the toy recipe for several seeds under each update scheme, on real
 * servers, one run after another, and adds the table to docs/log.md. Held-out avg@k, in points; mean ± sample deviation.
 *
 *   npm run bench:learn -- --seeds 3 --recipe toy
 *
 * A run that exists already is resumed, so an interrupted bench goes on where it was.
 */
import { spawn } from 'node:child_process';
import { appendFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    recipe: { type: 'string', default: 'toy' },
    iterations: { type: 'string', default: '15' },
  },
});
const perStage = Number(values.iterations);

/** Equal numbers of iterations in all. */
const schemes: Record<string, string[]> = {
  stagewise: [`stages.iterationsPerStage=${perStage}`, 'stages.count=2'],
  'executor-only': ['stages.scheme=executor-only', 'stages.count=1', `stages.iterationsPerStage=${2 * perStage}`],
  'designer-only': ['stages.scheme=designer-only', 'stages.count=1', `stages.iterationsPerStage=${2 * perStage}`],
};

interface Evaluation {
  name: string;
  average: number;
}

/** The command ends itself on Ctrl-C; this program then ends too, instead of going on with the next run. */
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (interrupted = true));

interface Outcome {
  code: number | null;
  output: string;
}

/** One command of the CLI; its progress goes to our standard error. */
function metaagentx(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['bin/metaagentx.mjs', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', (code) => resolve({ code, output }));
  });
}

/** Refused because the run id is taken: the run is there already. */
const isTaken = ({ code, output }: Outcome) => code === 2 && output.includes('is taken');

async function trainOrResume(runId: string, start: readonly string[]): Promise<string> {
  let outcome = await metaagentx(start);
  if (isTaken(outcome)) outcome = await metaagentx(['resume', runId, '--with-stack', '--json']);
  if (outcome.code === 0) return outcome.output;
  process.exitCode = outcome.code ?? 1;
  throw new Error(
    interrupted ? 'interrupted: the same command goes on from here' : `${runId} ended with exit code ${outcome.code}`,
  );
}

async function learn(scheme: string, seed: number): Promise<Evaluation[]> {
  const runId = `learn-${values.recipe}-${perStage}-${scheme}-${seed}`;
  const sets = schemes[scheme]!.flatMap((set) => ['--set', set]);
  const start = [
    'train',
    '--recipe',
    values.recipe,
    '--run-id',
    runId,
    '--seed',
    String(seed),
    ...sets,
    '--with-stack',
    '--json',
  ];
  const output = await trainOrResume(runId, start);
  const { evaluations } = JSON.parse(output) as { evaluations: Evaluation[] };
  console.error(
    `${runId}: ${evaluations.map(({ name, average }) => `${name} ${(100 * average).toFixed(1)}`).join(' → ')}`,
  );
  return evaluations;
}

const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
function spread(list: readonly number[]): string {
  const centre = mean(list);
  const deviation = Math.sqrt(list.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (list.length - 1));
  return list.length < 2 ? centre.toFixed(1) : `${centre.toFixed(1)} ± ${deviation.toFixed(1)}`;
}

const names = Object.keys(schemes);
const learned = new Map<string, Evaluation[][]>(names.map((scheme) => [scheme, []]));
for (let seed = 0; seed < Number(values.seeds); seed++) {
  for (const scheme of names) learned.get(scheme)!.push(await learn(scheme, seed));
}

const rows: string[] = [];
for (const [scheme, runs] of learned) {
  const points = (at: number) => runs.map((run) => 100 * run.at(at)!.average);
  const gains = points(-1).map((final, index) => final - points(0)[index]!);
  const middle = scheme === 'stagewise' ? spread(points(1)) : '';
  rows.push(
    `| ${scheme} | ${spread(points(0))} | ${middle} | ${spread(points(-1))} | ${spread(gains)} | ${gains.map((gain) => gain.toFixed(1)).join(', ')} |`,
  );
}
const table = [
  `\n## Learning, recipe \`${values.recipe}\`, ${2 * perStage} iterations, ${values.seeds} seeds, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores\n`,
  '| scheme | cold start | after the executor stage | end | gain | gain by seed |',
  '| --- | --- | --- | --- | --- | --- |',
  ...rows,
  '',
].join('\n');
await appendFile(`${root}/docs/log.md`, table);
console.log(table);
