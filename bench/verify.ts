/**
 * The math verifier over the committed tables and over hostile input: agreement, pairs per second, slowest pair.
 * Run: npm run bench:verify [-- rounds]. Exit code 1 where a false positive or a pair over the bound was found.
 */
import { readFileSync } from 'node:fs';
import { verifyMath } from '../shared/verify/math.ts';
import { hostileFormulas, hostileLists, hostileTexts } from './hostile-answers.ts';

interface Case {
  class: string;
  gold: string;
  answer: string;
  correct: boolean;
}
const boundMs = 250;
const tables = ['cases', 'outputs'];
const rounds = Number(process.argv[2] ?? 10);

/** Milliseconds of the faster of two runs: the first may compile. */
function timed(gold: string, answer: string): number {
  const once = () => {
    const start = performance.now();
    verifyMath(gold, answer);
    return performance.now() - start;
  };
  return Math.min(once(), once());
}

function measureTable(name: string): boolean {
  const text = readFileSync(new URL(`../tests/fixtures/verify/${name}.jsonl`, import.meta.url), 'utf8');
  const cases = text.trim().split('\n').map((line) => JSON.parse(line) as Case); // prettier-ignore
  const wrong = cases.filter(({ gold, answer, correct }) => verifyMath(gold, answer).correct !== correct);
  const start = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const { gold, answer } of cases) verifyMath(gold, answer);
  const seconds = (performance.now() - start) / 1000;
  const worst = cases.map((item) => ({ ...item, ms: timed(item.gold, item.answer) })).sort((a, b) => b.ms - a.ms)[0]!;
  const falsePositives = wrong.filter(({ correct }) => !correct);
  console.log(
    `${name}: ${cases.length} pairs, ${cases.length - wrong.length} agree, ${falsePositives.length} false positives; ` +
      `${Math.round((cases.length * rounds) / seconds)} pairs/s; worst ${worst.ms.toFixed(1)} ms: ${worst.gold} | ${worst.answer.slice(-80)}`,
  );
  for (const { class: kind, gold, answer, correct } of wrong)
    console.log(`  ${correct ? 'missed' : 'FALSE POSITIVE'} [${kind}] ${gold} | ${answer.slice(-200)}`);
  return falsePositives.length === 0 && worst.ms < boundMs;
}

function measureHostile(): boolean {
  const times: { name: string; ms: number }[] = [];
  const add = (name: string, gold: string, answer: string) => times.push({ name, ms: timed(gold, answer) });
  for (const [name, formula] of Object.entries(hostileFormulas)) {
    add(`${name}, itself`, formula, `\\boxed{${formula}+0}`);
    add(`${name}, plus one`, formula, `\\boxed{${formula}+1}`);
  }
  for (const [name, list] of Object.entries(hostileLists))
    for (const count of [15, 25, 40]) {
      const answer = list((i) => count - 1 - i, count);
      add(`${count} ${name}, reversed`, list((i) => i, count), `\\boxed{${answer}}`); // prettier-ignore
    }
  for (const [name, text] of Object.entries(hostileTexts)) {
    add(`${name}, as reply`, '5', text);
    add(`${name}, as gold`, text, `\\boxed{x+1}`);
    add(`${name}, boxed`, '\\sqrt{2}+x', `\\boxed{${text}}`);
  }
  times.sort((a, b) => b.ms - a.ms);
  const slow = times.slice(0, 3).map(({ name, ms }) => `${ms.toFixed(1)} ms ${name}`);
  console.log(`hostile: ${times.length} pairs; slowest ${slow.join('; ')}`);
  return times[0]!.ms < boundMs;
}

const sound = [...tables.map(measureTable), measureHostile()];
if (sound.includes(false)) process.exitCode = 1;
