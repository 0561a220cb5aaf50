/**
 * The sessions that a version generates with. Where memory allows it, weights are constants of sessions of the version's
 * own: ONNX Runtime lays constants out for its kernels once, where inputs are laid out again in every run. The weights under
 * an adapter are constants of sessions that all adapters on them share; the adapters are inputs.
 */
import type { Tensors } from './contract.ts';
import type { DecoderGraphs, GenerationKind } from './graphs.ts';
import type { ResidentTensors } from './resident.ts';
import type { Feeds, GraphSession } from './session.ts';

type Sessions = Partial<Record<GenerationKind, Promise<GraphSession>>>;

/** Of the weights under adapters, by the adapters' form. They go when no adapter on the weights is left. */
const shared = new WeakMap<Tensors, Map<DecoderGraphs, Sessions>>();

export class GenerationSessions {
  /** What a run takes beside tokens and caches. */
  readonly feeds: Feeds;
  private readonly graphs: DecoderGraphs;
  /** Undefined: sessions whose weights are inputs. */
  private readonly constants: Tensors | undefined;
  private readonly sessions: Sessions;
  private readonly isOwner: boolean;

  constructor(graphs: DecoderGraphs, { parameters, frozen }: ResidentTensors, feeds: Feeds) {
    const whole = graphs.lora === null ? parameters : frozen;
    this.graphs = graphs;
    this.constants = graphs.areConstants(whole) ? whole : undefined;
    this.isOwner = this.constants !== undefined && graphs.lora === null;
    this.feeds = this.constants === undefined ? feeds : without(feeds, this.constants);
    this.sessions = this.isOwner || this.constants === undefined ? {} : sharedOf(this.constants, graphs);
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
    return (this.sessions[kind] ??= this.graphs.generation(kind, this.constants));
  }
}

const without = (feeds: Feeds, names: Tensors): Feeds =>
  Object.fromEntries(Object.entries(feeds).filter(([name]) => !names.has(name)));

function sharedOf(weights: Tensors, graphs: DecoderGraphs): Sessions {
  const known = shared.get(weights) ?? new Map<DecoderGraphs, Sessions>();
  shared.set(weights, known);
  const sessions = known.get(graphs) ?? {};
  known.set(graphs, sessions);
  return sessions;
}
