/**
 * Collects ONNX nodes and constants while a graph is written. Turns symbolic dimensions into run-time shape tensors,
 * each made once, from the shapes of the graph's inputs.
 */
import { DomainError } from '../errors.ts';
import { showShape, type Dim, type Shape } from '../graph/dims.ts';
import { inputName, type Value } from '../graph/graph.ts';
import type { HalfFormat } from '../graph/ops.ts';
import { elementTypes, type ElementType, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './onnx-model.ts';

/** The domain of ONNX Runtime's own operators. */
export const microsoft = 'com.microsoft';

export interface EmitOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
  /** Names of the outputs; default one fresh name. */
  readonly outputs?: readonly string[];
}

export interface EmitterOptions {
  /** Inputs that are constants in 16 bits. */
  readonly halves?: ReadonlyMap<string, HalfFormat>;
  /** Default 'cpu'. */
  readonly kernels?: Kernels;
}

/**
 * Whose kernels a model is written for. Cuda's multiply matrices in 16 bits, where the processor's get the same numbers
 * in float32; and where cuda's add up rows in whatever order they come, a matrix product adds them in a fixed one.
 */
export type Kernels = 'cpu' | 'cuda';

/** The name that a constant in 16 bits goes by. */
export const halfName = (name: string, format: HalfFormat) => `${name}.${format}`;

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxTensor[];
  private readonly made = new Map<string, unknown>();
  private readonly inputs: readonly Value[];
  private readonly parent: Emitter | undefined;
  private readonly hasDims: boolean;
  private readonly options: EmitterOptions;
  private count = 0;

  constructor(
    inputs: readonly Value[],
    options: EmitterOptions = {},
    parent?: Emitter,
    hasDims = parent === undefined,
  ) {
    this.inputs = inputs;
    this.options = options;
    this.parent = parent;
    this.hasDims = hasDims;
    this.constants = parent?.constants ?? [];
  }

  get kernels(): Kernels {
    return this.options.kernels ?? 'cpu';
  }

  /**
   * For the nodes of a sub-graph: what does not depend on them is emitted here, outside. That is constants, and shapes unless
   * the sub-graph has `inputs` of its own, by which dimensions are known then.
   */
  inside(inputs?: readonly Value[]): Emitter {
    return new Emitter(inputs ?? this.inputs, this.options, this, inputs !== undefined);
  }

  fresh(): string {
    if (this.parent) return this.parent.fresh();
    return `t${(this.count += 1)}`;
  }

  /** Adds a node; returns the name of its first output. */
  emit(type: string, inputs: readonly string[], options: EmitOptions = {}): string {
    const { attributes = {}, domain = '', outputs = [this.fresh()] } = options;
    this.nodes.push({ type, domain, inputs, outputs, attributes });
    return outputs[0]!;
  }

  cast(x: string, to: ElementType, options: Pick<EmitOptions, 'outputs'> = {}): string {
    return this.emit('Cast', [x], { attributes: { to: elementTypes[to] }, ...options });
  }

  /** `x` rounded to 16 bits, as the provider's products take it; what comes from outside a sub-graph is rounded there. */
  half(x: string, format: HalfFormat): string {
    if (this.parent?.reaches(x)) return this.parent.half(x, format);
    return this.once(`${format} of ${x}`, () => {
      const rounded = this.options.halves?.get(x) === format ? halfName(x, format) : this.cast(x, format);
      return this.kernels === 'cuda' ? rounded : this.cast(rounded, 'float32');
    });
  }

  private reaches(x: string): boolean {
    return this.options.halves?.has(x) === true || this.inputs.some((input) => inputName(input) === x);
  }

  constant(dtype: ElementType, shape: readonly number[], data: Float32Array | readonly number[]): string {
    if (this.parent) return this.parent.constant(dtype, shape, data);
    const make = () => {
      const name = this.fresh();
      this.constants.push({ name, dtype, shape, data });
      return name;
    };
    return data.length > 16 ? make() : this.once(`${dtype}[${shape.join()}]${data.join()}`, make);
  }

  ints(data: readonly number[]): string {
    return this.constant('int64', [data.length], data);
  }

  /** A 1-D int64 tensor holding `shape`; with `infer`, one symbolic dimension may stand as -1. */
  shape(shape: Shape, infer = false): string {
    if (!this.hasDims) return this.parent!.shape(shape, infer);
    const symbolic = shape.filter((dim) => typeof dim === 'string').length;
    if (symbolic === 0 || (infer && symbolic === 1 && !shape.includes(0))) {
      return this.ints(shape.map((dim) => (typeof dim === 'number' ? dim : -1)));
    }
    return this.once(`shape ${showShape(shape)}`, () =>
      this.emit(
        'Concat',
        shape.map((dim) => this.dim(dim)),
        { attributes: { axis: 0 } },
      ),
    );
  }

  /** A 1-D int64 tensor of one entry holding `dim`. */
  dim(dim: Dim): string {
    if (!this.hasDims) return this.parent!.dim(dim);
    if (typeof dim === 'number') return this.ints([dim]);
    return this.once(`dim ${dim}`, () => {
      const piece = /^(.*)\/(\d+)#(\d+)$/.exec(dim);
      if (piece) return this.piece(piece[1]!, Number(piece[2]), Number(piece[3]));
      if (dim.includes('*')) {
        const factors = dim.split('*').map((part) => this.dim(/^\d+$/.test(part) ? Number(part) : part));
        return factors.reduce((a, b) => this.emit('Mul', [a, b]));
      }
      const sum = /^([^+]+)\+(\d+)$/.exec(dim);
      if (sum) return this.emit('Add', [this.dim(sum[1]!), this.ints([Number(sum[2])])]);
      for (const input of this.inputs) {
        const axis = input.shape.indexOf(dim);
        if (axis >= 0) return this.emit('Shape', [inputName(input)], { attributes: { start: axis, end: axis + 1 } });
      }
      throw new DomainError(
        'ShapeMismatch',
        `onnx: dimension ${dim} is of no graph input; expected one input that has it.`,
        { dim },
      );
    });
  }

  /** A 1-D int64 tensor of one entry holding dim * numerator / denominator, rounded down. */
  share(dim: Dim, numerator: number, denominator: number): string {
    if (typeof dim === 'number') return this.ints([Math.floor((dim * numerator) / denominator)]);
    return this.once(`share ${dim} ${numerator} ${denominator}`, () =>
      this.emit('Div', [this.emit('Mul', [this.dim(dim), this.ints([numerator])]), this.ints([denominator])]),
    );
  }

  /** ceil(whole / parts), or what is left of the whole if that is less. */
  private piece(whole: string, parts: number, index: number): string {
    const rounded = this.emit('Add', [this.dim(whole), this.ints([parts - 1])]);
    const size = this.emit('Div', [rounded, this.ints([parts])]);
    if (index === 0) return size;
    const left = this.emit('Sub', [this.dim(whole), this.emit('Mul', [size, this.ints([index])])]);
    return this.emit('Max', [this.emit('Min', [size, left]), this.ints([0])]);
  }

  /** What `make` emits, made once for each key. */
  once<Made>(key: string, make: () => Made): Made {
    const known = this.made.get(key);
    if (known !== undefined) return known as Made;
    const made = make();
    this.made.set(key, made);
    return made;
  }
}
