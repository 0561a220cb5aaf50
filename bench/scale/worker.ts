/**
 * A worker of the bench: `worker.ts QUEUE ENGINE TRACE SLOTS SPEED`. The activities, store, journal, isolates and polling are the
 * product's; the engine is the real one (`real`) or simulated (`simulated`). Prints `ready QUEUE`; SIGTERM ends it.
 */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { readTokenizer } from '../../activities/policy/tokenizer-file.ts';
import { createEngine } from '../../activities/runtime/engine/create-engine.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { resolveTemporalConfig } from '../../shared/config/temporal-config.ts';
import { queueNames } from '../../workers/queues.ts';
import { startWorker } from '../../workers/run-worker.ts';
import { readSettings } from '../../workers/settings.ts';
import { simulatedEngine } from './simulated-engine.ts';
import { commandCounter, openTrace } from './trace.ts';
import { watchedEngine, watchedScripts } from './watched.ts';

const [queueName, engineName, tracePath, slots, speed] = process.argv.slice(2);
const queue = queueNames.find((name) => name === queueName)!;
const trace = openTrace(tracePath!);
const commands = commandCounter();
const tokenizer = PolicyTokenizer.load(await readTokenizer('toy'));

Runtime.install({ logger: new DefaultLogger('WARN'), shutdownSignals: [] });
const settings = readSettings();
const workers = { gpuSlots: Number(slots), sandboxSlots: Number(slots) };
const worker = await startWorker(
  queue,
  { ...settings, config: { ...settings.config, workers: resolveTemporalConfig({ workers }).workers } },
  null,
  {
    createEngine: async (options) =>
      engineName === 'real'
        ? watchedEngine(await createEngine(options), trace)
        : simulatedEngine(tokenizer, trace, Number(speed)),
    createScriptPool: (options) => watchedScripts(createScriptPool(options), trace),
    onCommand: commands.count,
  },
);
process.once('SIGTERM', () => worker.shutdown());
console.log(`ready ${queue}`);
await worker.done;
for (const line of commands.lines()) trace.write(line);
await trace.close();
process.exit(0);
