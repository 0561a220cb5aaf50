/**
 * Speed and size of the sandboxes against their goals: light scripts per second and thread, 1,000 scripts in flight, what
 * an attack costs its neighbour, Python tests per second and their latency at every tier that holds here.
 * Run: npm run bench:sandbox [scripts|neighbours|python]
 */
import { measureFlight } from './sandbox/flight.ts';
import { measureNeighbours } from './sandbox/neighbours.ts';
import { measurePython } from './sandbox/python.ts';
import { measureScripts } from './sandbox/scripts.ts';
import { coreShare, show } from './sandbox/row.ts';

const parts: Record<string, readonly (() => Promise<void>)[]> = {
  scripts: [measureScripts, measureFlight],
  neighbours: [measureNeighbours],
  python: [measurePython],
};
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in parts));
if (unknown !== undefined) {
  console.error(`there is no part '${unknown}': expected some of ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
show('what', 'measured', 'goal');
for (const name of wanted.length === 0 ? Object.keys(parts) : wanted)
  for (const measure of parts[name]!) {
    const share = coreShare();
    await measure();
    show('  share of a core before and after', `${share.toFixed(0)} %, ${coreShare().toFixed(0)} %`);
  }
