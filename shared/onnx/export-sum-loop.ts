/**
 * Writes a loop over the parts of a batch (model/mini-batch-graph.ts): each turn cuts its own inputs out of the whole batch's, runs the
 * body by the rules of onnx-rules.ts and hands sums on to the next. Names of the outer graph are seen in the body.
 */
import { inputName, type Value } from '../graph/graph.ts';
import { Emitter, type Kernels } from './emitter.ts';
import { constantsOf, emitterOptions, portOf, writeValues } from './export.ts';
import { encodeModel, type Constants, type OnnxFile, type OnnxPort } from './onnx-model.ts';

/** An input of the body, cut from entries `from` to before `to` of the row of `spans`. */
export interface CutInput {
  readonly value: Value;
  readonly from: number;
  readonly to: number;
  /** Length of the whole. */
  readonly dim: string;
}

interface SumLoop {
  /** Of the model; all that the body takes and that is not cut or summed. */
  readonly inputs: readonly Value[];
  readonly cuts: readonly CutInput[];
  /** Body input that is a sum so far, and the output that it becomes. */
  readonly sums: readonly { readonly value: Value; readonly output: string }[];
  /** Outputs of the body that are joined along their first axis; scalars become entries. */
  readonly joined: readonly { readonly output: string; readonly dim: string }[];
  readonly body: Readonly<Record<string, Value>>;
  readonly constants: Constants;
  readonly kernels?: Kernels;
  readonly marker: string;
}

/** What the whole batch's input of that name is called. */
export const wholeName = (name: string) => `all.${name}`;

/** The model takes `spans` int64 [M, width], a row a turn; entries 0 and 1 are the sizes of inputs of two dimensions. */
export function exportSumLoop(loop: SumLoop, width: number): OnnxFile {
  const { inputs, cuts, sums, joined, constants } = loop;
  const free = inputs.filter((value) => !constants.has(inputName(value)));
  const outer = new Emitter(free, emitterOptions(constants, loop.kernels));
  const inner = outer.inside(cuts.map(({ value }) => value));
  writeCuts(inner, cuts);
  // Names of a sub-graph must differ from those outside, where the outputs have the body's.
  const inTurn = (output: string) => `turn ${output}`;
  writeValues(inner, Object.fromEntries(Object.entries(loop.body).map(([name, value]) => [inTurn(name), value])));
  const listed = joined.map(({ output }): OnnxPort => ({ name: `${output} so far`, dtype: 'float32', shape: ['K'] }));
  const lengthened = joined.map(({ output }, i) => {
    const isScalar = loop.body[output]!.shape.length === 0;
    const now = isScalar ? inner.emit('Unsqueeze', [inTurn(output), inner.ints([0])]) : inTurn(output);
    return inner.emit('Concat', [listed[i]!.name, now], { attributes: { axis: 0 } });
  });
  const body = {
    nodes: inner.nodes,
    constants: [],
    inputs: [
      { name: 'step', dtype: 'int64' as const, shape: [] },
      { name: 'goes_on', dtype: 'bool' as const, shape: [] },
      ...sums.map(({ value }) => portOf(value)),
      ...listed,
    ],
    outputs: [
      { name: inner.emit('Identity', ['goes_on']), dtype: 'bool' as const, shape: [] },
      ...sums.map(({ value, output }) => ({ ...portOf(value), name: inTurn(output) })),
      ...lengthened.map((name) => ({ name, dtype: 'float32' as const, shape: ['L'] })),
    ],
  };
  const outputs = [
    ...sums.map(({ value, output }) => ({ ...portOf(value), name: output })),
    ...joined.map(({ output, dim }) => ({ name: output, dtype: 'float32' as const, shape: [dim] })),
  ];
  const turns = outer.emit('Squeeze', [outer.emit('Shape', ['spans'], { attributes: { start: 0, end: 1 } })]);
  const zero = outer.constant('float32', [], [0]);
  const starts = [
    ...sums.map(({ value }) => outer.emit('Expand', [zero, outer.shape(value.shape)])),
    ...joined.map(() => outer.constant('float32', [0], [])),
  ];
  outer.emit('Loop', [turns, outer.constant('bool', [], [1]), ...starts], {
    attributes: { body: { graph: body } },
    outputs: outputs.map(({ name }) => name),
  });
  return encodeModel({
    marker: loop.marker,
    nodes: outer.nodes,
    constants: [...outer.constants, ...constantsOf(inputs, constants)],
    inputs: [
      ...free.map(portOf),
      { name: 'spans', dtype: 'int64', shape: ['M', width] },
      ...cuts.map(({ value, dim }): OnnxPort => ({
        name: wholeName(inputName(value)),
        dtype: value.dtype,
        shape: [dim],
      })),
    ],
    outputs,
  });
}

/** Makes each cut input, by its own name. */
function writeCuts(emitter: Emitter, cuts: readonly CutInput[]): void {
  const span = emitter.emit('Gather', ['spans', 'step'], { attributes: { axis: 0 } });
  const at = (index: number, count = 1) =>
    emitter.once(`span ${index} ${count}`, () =>
      emitter.emit('Slice', [span, emitter.ints([index]), emitter.ints([index + count]), emitter.ints([0])]),
    );
  for (const { value, from, to } of cuts) {
    const name = inputName(value);
    const isFlat = value.shape.length === 1;
    const flat = isFlat ? name : emitter.fresh();
    emitter.emit('Slice', [wholeName(name), at(from), at(to), emitter.ints([0])], { outputs: [flat] });
    if (!isFlat) emitter.emit('Reshape', [flat, at(0, 2)], { outputs: [name] });
  }
}
