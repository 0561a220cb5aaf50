/** The engine's state as metrics, read from the engine every few seconds. */
import type { MetricMeter } from '@temporalio/common';
import type { EngineStats, PolicyEngine } from '../activities/runtime/engine/contract.ts';

const everyMs = 2_000;

const counters = [
  'generatedTokens',
  'prefilledTokens',
  'sharedPrefillTokens',
  'decodeSteps',
  'trainedTokens',
  'updates',
] as const;
const gauges = {
  batch_mean_calls: (stats: EngineStats) => stats.meanBatch,
  active_calls: (stats: EngineStats) => stats.active,
  waiting_calls: (stats: EngineStats) => stats.waiting,
  queue_wait_ms_mean: (stats: EngineStats) => stats.meanQueueMs,
  tokens_per_second: (stats: EngineStats) => stats.tokensPerSecond,
  resident_versions: (stats: EngineStats) => stats.versions.length,
};
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Until the returned function is called. An engine that does not answer has died and takes the process with it. */
export function observeEngine(engine: Pick<PolicyEngine, 'stats'>, meter: MetricMeter): () => void {
  const counting = counters.map((name) => ({ name, counter: meter.createCounter(`metaagentx_engine_${snake(name)}`) }));
  const showing = Object.entries(gauges).map(([name, of]) => ({
    gauge: meter.createGauge(`metaagentx_engine_${name}`, 'float'),
    of,
  }));
  const before: Partial<Record<(typeof counters)[number], number>> = {};
  const look = async () => {
    const stats = await engine.stats();
    for (const { name, counter } of counting) {
      const grown = stats[name] - (before[name] ?? 0);
      if (grown > 0) counter.add(grown);
      before[name] = stats[name];
    }
    for (const { gauge, of } of showing) gauge.set(of(stats));
  };
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  void look().catch(() => undefined);
  return () => clearInterval(timer);
}
