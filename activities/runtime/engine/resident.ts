/** A policy version in the engine's memory: its tensors as the graphs take them. Never written after it is made. */
import { DomainError } from '../../../shared/errors.ts';
import type { PolicyTokenizer } from '../tokenizer/policy-tokenizer.ts';
import { precisions } from '../../../shared/model/interface.ts';
import type { Precision } from '../../../shared/model/interface.ts';
import type { OptimizerState, Tensors } from './contract.ts';
import type { DecoderGraphs } from './graphs.ts';
import { GenerationSessions } from './generation-sessions.ts';
import { floatTensor } from './session.ts';
import type { Feeds } from './session.ts';

export interface ResidentTensors {
  version: string;
  /** What training changes: all tensors of the decoder, or those of an adapter. */
  parameters: Tensors;
  /** What it does not: the base's tensors, which every adapter on it shares. Empty without an adapter. */
  frozen: Tensors;
  /** Absent: zeros at step 0, which are made when the version is trained. */
  optimizer?: OptimizerState;
  /** Why nothing may be learned from it. */
  untrainable?: string;
}

export interface Resident extends ResidentTensors {
  graphs: DecoderGraphs;
  tokenizer: PolicyTokenizer;
  /** All tensors by their graph input names. */
  feeds: Feeds;
  generation: Readonly<Record<Precision, GenerationSessions>>;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Throws `ShapeMismatch` where tensors do not fit the configuration. */
export function makeResident(graphs: DecoderGraphs, tensors: ResidentTensors, tokenizer: PolicyTokenizer): Resident {
  const { parameters, frozen, optimizer } = tensors;
  checkTensors(graphs.learned, parameters);
  checkTensors(graphs.frozen, frozen);
  for (const moments of optimizer === undefined ? [] : [optimizer.m, optimizer.v]) {
    checkTensors(graphs.learned, moments);
  }
  const feeds = { ...feedsOf(graphs.frozen, frozen), ...feedsOf(graphs.learned, parameters) };
  const generation = precisions.map((weights) => [weights, new GenerationSessions(graphs, tensors, feeds, weights)]);
  return {
    ...tensors,
    graphs,
    tokenizer,
    feeds,
    generation: Object.fromEntries(generation) as Record<Precision, GenerationSessions>,
  };
}

export function feedsOf(shapes: Shapes, tensors: Tensors, prefix = ''): Feeds {
  return Object.fromEntries(
    [...shapes].map(([name, shape]) => [prefix + name, floatTensor(tensors.get(name)!, shape)]),
  );
}

function checkTensors(shapes: Shapes, tensors: Tensors): void {
  for (const [name, shape] of shapes) {
    const wanted = shape.reduce((product, size) => product * size, 1);
    const found = tensors.get(name)?.length ?? 'no';
    if (found !== wanted) {
      throw new DomainError(
        'ShapeMismatch',
        `tensor '${name}' has ${found} numbers; the model's [${shape.join(', ')}] has ${wanted}`,
        { name },
      );
    }
  }
}
