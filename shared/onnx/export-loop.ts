/**
 * Writes the loop of decode steps (model/decode-chunk-graph.ts): the body's graph by the rules of onnx-rules.ts, then the
 * draw and what ends the loop. Names of the outer graph are seen in the body, so weights and caches are not copied.
 */
import type { Shape } from '../graph/dims.ts';
import { inputName, type Value } from '../graph/graph.ts';
import type { DType } from '../graph/ops.ts';
import { DrawWriter } from './draw-writer.ts';
import { Emitter, type Kernels } from './emitter.ts';
import { constantsOf, emitterOptions, portOf, writeValues } from './export.ts';
import { encodeModel, type Constants, type OnnxFile, type OnnxPort } from './onnx-model.ts';

/** What one step hands to the next. It begins as the graph input `from`, or as zeros. */
export interface LoopState {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly from?: string;
  /** Output of the model that its last value is. */
  readonly to?: string;
}

interface DecodeLoop {
  readonly inputs: readonly (Value | readonly [string, DType, Shape])[];
  /** `logits` and the next value of each buffer. */
  readonly body: Readonly<Record<string, Value>>;
  /** The token first, then the buffers. */
  readonly states: readonly LoopState[];
  /** Names in `body` of the buffers' next values. */
  readonly results: readonly string[];
  readonly constants: Constants;
  readonly kernels?: Kernels;
  readonly marker: string;
  readonly chunk: number;
  readonly vocabSize: number;
  readonly truncates: boolean;
}

export function exportLoop(loop: DecodeLoop): OnnxFile {
  const { inputs, chunk, constants, states } = loop;
  const values = inputs.filter((input): input is Value => 'graph' in input);
  const extra = inputs.filter((input): input is readonly [string, DType, Shape] => !('graph' in input));
  const free = values.filter((value) => !constants.has(inputName(value)));
  const outer = new Emitter(free, emitterOptions(constants, loop.kernels));
  const inner = outer.inside();
  const results = writeBody(loop, inner);

  const carried: readonly LoopState[] = [
    states[0]!,
    { name: 'ended', dtype: 'bool', shape: ['B'] },
    { name: 'all_tokens', dtype: 'float32', shape: [chunk, 'B'], to: 'tokens' },
    { name: 'all_log_probs', dtype: 'float32', shape: [chunk, 'B'], to: 'log_probs' },
    ...states.slice(1),
  ];
  const start = ({ dtype, shape, from }: LoopState) =>
    from ?? outer.emit('Expand', [outer.constant(dtype, [], [0]), outer.shape(shape)]);
  const port = ({ name, dtype, shape }: OnnxPort): OnnxPort => ({ name, dtype, shape });
  const body = {
    nodes: inner.nodes,
    constants: [],
    inputs: [
      { name: 'step', dtype: 'int64' as const, shape: [] },
      { name: 'goes_on', dtype: 'bool' as const, shape: [] },
      ...carried.map(port),
    ],
    outputs: [
      { name: results[0]!, dtype: 'bool' as const, shape: [] },
      ...carried.map(({ dtype, shape }, i) => ({ name: results[i + 1]!, dtype, shape })),
    ],
  };
  const first = [outer.constant('int64', [], [chunk]), outer.constant('bool', [], [1])];
  const starts = carried.map(start);
  outer.emit('Loop', [...first, ...starts], {
    attributes: { body: { graph: body } },
    outputs: carried.map(({ to }) => to ?? outer.fresh()),
  });
  return encodeModel({
    marker: loop.marker,
    nodes: outer.nodes,
    constants: [...outer.constants, ...constantsOf(values, constants)],
    inputs: [...free.map(portOf), ...extra.map(([name, dtype, shape]) => ({ name, dtype, shape }))],
    outputs: carried.filter(({ to }) => to !== undefined).map(({ to, dtype, shape }) => ({ name: to!, dtype, shape })),
  });
}

/** Names of: whether the loop goes on, the next token, who has ended, tokens and log-probs so far, the buffers. */
function writeBody({ body, results, vocabSize, chunk, truncates }: DecodeLoop, emitter: Emitter): string[] {
  writeValues(emitter, body);
  const now = (name: string) => emitter.emit('Gather', [name, 'step'], { attributes: { axis: 0 } });
  const { ids, logProbs } = new DrawWriter(emitter, vocabSize).draw(
    {
      logits: 'logits',
      temperature: 'temperature',
      topK: 'top_k',
      topP: 'top_p',
      minP: 'min_p',
      uniform: now('uniform'),
    },
    truncates,
  );
  const slots = emitter.constant(
    'int64',
    [chunk, 1],
    Array.from({ length: chunk }, (_, i) => i),
  );
  const isEarlier = emitter.emit('Less', [slots, 'step']);
  const kept = (all: string, now: string) => emitter.emit('Where', [isEarlier, all, now]);
  const float = (x: string) => emitter.emit('Cast', [x], { attributes: { to: 1 } });
  const half = emitter.constant('float32', [], [0.5]);
  const equal = emitter.emit('Equal', ['stop_ids', emitter.emit('Unsqueeze', [ids, emitter.ints([1])])]);
  const stops = emitter.emit('ReduceSum', [float(equal), emitter.ints([1])], { attributes: { keepdims: 0 } });
  const taken = emitter.emit('Add', ['step', emitter.constant('int64', [], [1])]);
  const isFull = emitter.emit('LessOrEqual', ['limits', taken]);
  const endsNow = emitter.emit('Or', [emitter.emit('Less', [half, stops]), isFull]);
  const ended = emitter.emit('Or', ['ended', endsNow]);
  const fewest = emitter.emit('ReduceMin', [float(ended), emitter.ints([0])], { attributes: { keepdims: 0 } });
  const goesOn = emitter.emit('Less', [fewest, half]);
  return [goesOn, ids, ended, kept('all_tokens', float(ids)), kept('all_log_probs', logProbs), ...results];
}
