/** The scoring graph: log-probability and entropy at each position, no gradients. Interface: interface.ts. */
import { finish } from './built.ts';
import type { DecoderConfig } from './config.ts';
import { createDecoder } from './decoder.ts';
import { checkCount } from './gradient-graph.ts';
import type { BuiltGraph, LogProbGraphOptions } from './interface.ts';
import { joined, scoreTargets } from './scores.ts';

export function buildLogProbGraph(config: DecoderConfig, options: LogProbGraphOptions = {}): BuiltGraph {
  const { lossChunks = 1, attentionBlocks = 1, lora, precision } = options;
  checkCount('lossChunks', lossChunks);
  checkCount('attentionBlocks', attentionBlocks);
  const decoder = createDecoder(config, lora, precision);
  const pieces = scoreTargets(decoder, lossChunks, attentionBlocks);
  const outputs = { log_prob: joined(pieces, 'logProb'), entropy: joined(pieces, 'entropy') };
  return finish(decoder.graph.inputs, outputs, options);
}
