/**
 * Peak memory of a training step against what `metaagentx policy show --plan` says, kept and recomputed layers, up to 8,192
 * tokens. Ends with 1 where a plan is off by more than 20 %.
 *
 *   npm run bench:memory
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { planMemory } from '../shared/model/memory-plan.ts';
import { sizes } from './engine/sizes.ts';

const step = fileURLToPath(new URL('memory/step.ts', import.meta.url));
const cases = [
  { layers: 6, width: 256, length: 64, recompute: 0 },
  { layers: 6, width: 256, length: 2048, recompute: 0 },
  { layers: 6, width: 256, length: 2048, recompute: 1 },
  { layers: 4, width: 128, length: 8192, recompute: 1 },
];

console.log('| layers x width | tokens | recompute | peak MB | plan MB | plan / peak |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { layers, width, length, recompute } of cases) {
  const argument = JSON.stringify({ layers, width, length, recompute });
  const peak = Number(execFileSync(process.execPath, ['--import', 'tsx', step, argument]).toString());
  const size = { hiddenSize: width, intermediateSize: 3 * width, headDim: width / 8, numLayers: layers };
  const config = { ...sizes.S, ...size, maxPositions: length };
  const { total } = planMemory(config, { rows: 1, length, recompute: recompute === 1 });
  const [seen, planned] = [peak, total].map((bytes) => (bytes / 1e6).toFixed(0));
  const ratio = total / peak;
  console.log(`| ${layers} x ${width} | ${length} | ${recompute} | ${seen} | ${planned} | ${ratio.toFixed(2)} |`);
  if (Math.abs(ratio - 1) > 0.2) process.exitCode = 1;
}
