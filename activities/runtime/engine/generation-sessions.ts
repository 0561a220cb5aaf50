/**
 * The sessions that a version generates with. Where memory allows it, weights are constants of sessions of the version's
 * own: ONNX Runtime lays constants out for its kernels once, where inputs are laid out again in every run. The weights under
 * an adapter are constants of sessions that all adapters on them share; the adapters are inputs. Linears in 16 or 8 bits are
 * made when the first call asks for them; in 8 bits they are constants whatever their size.
 */
import type { Precision } from '../../../shared/model/interface.ts';
import { asConstants } from './constants.ts';
import type { Tensors } from './contract.ts';
import type { DecoderGraphs, GenerationKind } from './graphs.ts';
import type { ResidentTensors } from './resident.ts';
import { checkByteProducts } from './byte-products.ts';
import type { Feeds, GraphSession } from './session.ts';

type Sessions = Partial<Record<GenerationKind, Promise<GraphSession>>>;

/** Of the weights under adapters, by the adapters' form. They go when no adapter on the weights is left. */
const shared: Readonly<Record<Precision, WeakMap<Tensors, Map<DecoderGraphs, Sessions>>>> = {
  float32: new WeakMap(),
  bfloat16: new WeakMap(),
  float16: new WeakMap(),
  int8: new WeakMap(),
};

export class GenerationSessions {
  /** What a run takes beside tokens and caches; of these, a session takes only its graph's inputs. */
  readonly feeds: Feeds;
  private readonly graphs: DecoderGraphs;
  private readonly weights: Precision;
  /** Whose values the sessions hold. Undefined: sessions whose weights are inputs. */
  private readonly held: Tensors | undefined;
  private readonly sessions: Sessions;
  private readonly isOwner: boolean;

  constructor(
    graphs: DecoderGraphs,
    { parameters, frozen }: Pick<ResidentTensors, 'parameters' | 'frozen'>,
    feeds: Feeds,
    weights: Precision = 'float32',
  ) {
    const whole = graphs.lora === null ? parameters : frozen;
    this.graphs = graphs;
    this.weights = weights;
    this.held = weights === 'int8' || graphs.areConstants(whole, weights) ? whole : undefined;
    this.isOwner = this.held !== undefined && graphs.lora === null;
    this.feeds = feeds;
    this.sessions = this.isOwner || this.held === undefined ? {} : sharedOf(shared[weights], this.held, graphs);
  }

  prefill = (): Promise<GraphSession> => this.session('prefill');
  decode = (): Promise<GraphSession> => this.session('decode');
  /** `truncates`: some call has a top-k or a top-p. */
  chunk = (truncates: boolean): Promise<GraphSession> => this.session(truncates ? 'sorted chunk' : 'chunk');

  /** Gives up the version's own sessions; nothing may run in them. */
  async release(): Promise<void> {
    if (this.isOwner) for (const session of Object.values(this.sessions)) await (await session).release();
  }

  private session(kind: GenerationKind): Promise<GraphSession> {
    return (this.sessions[kind] ??= this.make(kind));
  }

  private async make(kind: GenerationKind): Promise<GraphSession> {
    const { graphs, held, weights } = this;
    if (weights === 'int8') await checkByteProducts();
    return graphs.generation(kind, weights, held && asConstants(graphs.config, held, weights));
  }
}

function sharedOf(
  all: WeakMap<Tensors, Map<DecoderGraphs, Sessions>>,
  weights: Tensors,
  graphs: DecoderGraphs,
): Sessions {
  const known = all.get(weights) ?? new Map<DecoderGraphs, Sessions>();
  all.set(weights, known);
  const sessions = known.get(graphs) ?? {};
  known.set(graphs, sessions);
  return sessions;
}
