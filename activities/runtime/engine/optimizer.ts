/** Working copies of what one version learns while it is trained, and AdamW steps on them in place. */
import { DomainError } from '../../../shared/errors.ts';
import type { AdamSettings, OptimizerState, Tensors } from './contract.ts';
import type { DecoderGraphs } from './graphs.ts';
import { feedsOf } from './resident.ts';
import type { Resident } from './resident.ts';
import { floatsOf, scalarTensor } from './session.ts';
import type { Feeds } from './session.ts';

const zerosLike = (tensors: Tensors): Tensors =>
  new Map([...tensors].map(([name, tensor]) => [name, new Float32Array(tensor.length)]));
const copyOf = (tensors: Tensors): Tensors => new Map([...tensors].map(([name, tensor]) => [name, tensor.slice()]));

export class TrainingState {
  readonly graphs: DecoderGraphs;
  readonly parameters: Tensors;
  readonly frozen: Tensors;
  readonly optimizer: OptimizerState;
  /** All tensors by graph input name; the arrays of what is learned change with every step. */
  readonly feeds: Feeds;
  private readonly gradients: Tensors;
  private readonly gradientFeeds: Feeds;
  private readonly stateFeeds: Feeds;
  /** In-place outputs of an optimizer step. */
  private readonly stateFetches: Feeds;

  /** Throws `CheckpointMissing` where nothing may be learned from the version. */
  constructor(base: Resident) {
    const { graphs, untrainable } = base;
    if (untrainable !== undefined) throw new DomainError('CheckpointMissing', untrainable, { version: base.version });
    this.graphs = graphs;
    this.parameters = copyOf(base.parameters);
    this.frozen = base.frozen;
    const { m, v, step } = base.optimizer ?? { step: 0 };
    const moments = (known: Tensors | undefined) => (known === undefined ? zerosLike(base.parameters) : copyOf(known));
    this.optimizer = { m: moments(m), v: moments(v), step };
    this.gradients = zerosLike(base.parameters);
    const feeds = (tensors: Tensors, prefix = '') => feedsOf(graphs.learned, tensors, prefix);
    this.feeds = { ...base.feeds, ...feeds(this.parameters) };
    this.gradientFeeds = feeds(this.gradients);
    const ofMoments = { ...feeds(this.optimizer.m, 'm.'), ...feeds(this.optimizer.v, 'v.') };
    this.stateFeeds = { ...feeds(this.parameters), ...ofMoments };
    this.stateFetches = renamed(this.stateFeeds, 'next.');
  }

  clearGradients(): void {
    for (const gradient of this.gradients.values()) gradient.fill(0);
  }

  gradientCopies(): Tensors {
    return copyOf(this.gradients);
  }

  /** Puts gradients from elsewhere in the place of accumulated ones. Throws `ShapeMismatch`. */
  takeGradients(gradients: Tensors): void {
    for (const [name, own] of this.gradients) {
      const given = gradients.get(name);
      if (given?.length !== own.length) {
        throw new DomainError(
          'ShapeMismatch',
          `gradient '${name}' has ${given?.length ?? 'no'} numbers; expected ${own.length}`,
          { name },
        );
      }
      own.set(given);
    }
  }

  /** What a gradient graph takes and gives in place: `accum.*` in, `grad.*` out, the same arrays. */
  accumulation(): { feeds: Feeds; fetches: Feeds } {
    return { feeds: renamed(this.gradientFeeds, 'accum.'), fetches: renamed(this.gradientFeeds, 'grad.') };
  }

  /** One AdamW step from the accumulated gradients; returns their global norm before clipping. */
  async step(settings: AdamSettings, learningRate: number): Promise<number> {
    const session = await this.graphs.adamW(settings);
    const t = this.optimizer.step + 1;
    const outputs = await session.run(
      {
        ...this.stateFeeds,
        ...renamed(this.gradientFeeds, 'grad.'),
        learning_rate: scalarTensor(learningRate),
        bias_correction1: scalarTensor(1 - settings.beta1 ** t),
        bias_correction2: scalarTensor(1 - settings.beta2 ** t),
      },
      this.stateFetches,
    );
    this.optimizer.step = t;
    return floatsOf(outputs.grad_norm!)[0]!;
  }
}

const renamed = (feeds: Feeds, prefix: string): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [prefix + name, tensor]));
