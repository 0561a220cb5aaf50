/**
 * Speed of the math verifier over the committed case table: pairs per second and the slowest pair.
 * Run: node --import tsx bench/verify.ts [rounds]
 */
import { readFileSync } from 'node:fs';
import { verifyMath } from '../shared/verify/math.ts';

interface Case {
  class: string;
  gold: string;
  answer: string;
  correct: boolean;
}
const table = new URL('../tests/fixtures/verify/cases.jsonl', import.meta.url);
const cases = readFileSync(table, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Case); // prettier-ignore
const rounds = Number(process.argv[2] ?? 20);
const first = performance.now();
let worst = { ms: 0, gold: '', answer: '' };
const wrong: Case[] = [];
for (let round = 0; round < rounds; round += 1) {
  for (const item of cases) {
    const start = performance.now();
    const { correct } = verifyMath(item.gold, item.answer);
    const ms = performance.now() - start;
    if (ms > worst.ms) worst = { ms, gold: item.gold, answer: item.answer };
    if (round === 0 && correct !== item.correct) wrong.push(item);
  }
}
const seconds = (performance.now() - first) / 1000;
const falsePositives = wrong.filter((item) => !item.correct);
console.log(`${cases.length} pairs, ${cases.length - wrong.length} agree, ${falsePositives.length} false positives`);
console.log(
  `${Math.round((cases.length * rounds) / seconds)} pairs/s; worst pair ${worst.ms.toFixed(1)} ms: ${worst.gold} | ${worst.answer}`,
);
for (const { class: kind, gold, answer, correct } of wrong)
  console.log(`${correct ? 'missed' : 'FALSE POSITIVE'} [${kind}] ${gold} | ${answer}`);
if (falsePositives.length > 0) process.exitCode = 1;
