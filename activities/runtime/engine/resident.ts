/** A policy version in the engine's memory: its tensors as the graphs take them. Never written after it is made. */
import { DomainError } from '../../../shared/errors.ts';
import type { PolicyTokenizer } from '../tokenizer/policy-tokenizer.ts';
import type { OptimizerState, PolicySource, Tensors } from './contract.ts';
import type { DecoderGraphs } from './graphs.ts';
import { floatTensor } from './session.ts';
import type { Feeds } from './session.ts';

export interface Resident {
  version: string;
  graphs: DecoderGraphs;
  tokenizer: PolicyTokenizer;
  parameters: Tensors;
  /** Absent: zeros at step 0, which are made when the version is trained. */
  optimizer?: OptimizerState;
  /** Parameters by their graph input names. */
  feeds: Feeds;
}

/** Throws `ShapeMismatch` where tensors do not fit the configuration. */
export function makeResident(
  graphs: DecoderGraphs,
  source: Omit<PolicySource, 'config' | 'tokenizerJson'>,
  tokenizer: PolicyTokenizer,
): Resident {
  const { version, parameters, optimizer } = source;
  checkTensors(graphs, parameters);
  for (const moments of optimizer === undefined ? [] : [optimizer.m, optimizer.v]) checkTensors(graphs, moments);
  return { version, graphs, tokenizer, parameters, optimizer, feeds: feedsOf(graphs, parameters) };
}

export function feedsOf(graphs: DecoderGraphs, tensors: Tensors, prefix = ''): Feeds {
  return Object.fromEntries(
    [...graphs.shapes].map(([name, shape]) => [prefix + name, floatTensor(tensors.get(name)!, shape)]),
  );
}

function checkTensors({ shapes }: DecoderGraphs, tensors: Tensors): void {
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
