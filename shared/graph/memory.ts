/**
 * How much memory a run of a graph takes at most, by the lives of its tensors: each is there from the node that makes it to
 * the last that reads it, in the order of creation. Views share their source's memory, and an elementwise result takes the
 * place of an operand that nobody reads later, as ONNX Runtime arranges it. Attention keeps its probabilities for its
 * gradient (onnx/attention-rules.ts). Inputs are the caller's and are not counted.
 */
import { resolveDim, type Dim, type DimBindings } from './dims.ts';
import { neededNodes, type Node, type Value } from './graph.ts';
import type { CausalAttention, OpName } from './ops.ts';

const views: ReadonlySet<OpName> = new Set<OpName>(['reshape', 'input', 'constant', 'full', 'iota']);
const inPlace: ReadonlySet<OpName> = new Set<OpName>([
  'neg',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sigmoid',
  'clip',
  'add',
  'sub',
  'mul',
  'div',
  'minimum',
  'softmax',
]);
const wordBytes: Readonly<Record<Value['dtype'], number>> = { float32: 4, int64: 8, bool: 1, int8: 1 };

/** Bytes. `dims` gives every symbolic dimension. */
export function peakMemory(outputs: readonly Value[], dims: DimBindings): number {
  const nodes = neededNodes(outputs);
  const lastUse = lastUses(nodes, outputs);
  const sizeOf = (value: Value) => bytesOf(value.shape, dims) * wordBytes[value.dtype];
  let held = 0;
  let peak = 0;
  const freed = new Set<Value>();
  const release = (value: Value) => {
    const source = sourceOf(value);
    if (freed.has(source) || views.has(source.node.op)) return;
    freed.add(source);
    held -= sizeOf(source);
  };
  const open = new Map<string, number>();
  nodes.forEach((node, at) => {
    const dying = [...new Set(node.inputs.map(sourceOf))].filter((source) => lastUse.get(source) === at);
    const made = views.has(node.op) ? 0 : node.outputs.reduce((sum, output) => sum + sizeOf(output), 0);
    const taken = inPlace.has(node.op) && dying.some((source) => sizeOf(source) === made && !views.has(source.node.op));
    const scores = attentionMemory(node, dims, nodes, open);
    peak = Math.max(peak, held + (taken ? 0 : made) + scores.during);
    held += made + scores.kept;
    dying.forEach(release);
    peak = Math.max(peak, held);
  });
  return peak;
}

const bytesOf = (shape: readonly Dim[], dims: DimBindings): number =>
  shape.reduce<number>((product, dim) => product * resolveDim(dim, dims), 1);

/** The value whose memory this one shares. */
function sourceOf(value: Value): Value {
  return value.node.op === 'reshape' ? sourceOf(value.node.inputs[0]!) : value;
}

function lastUses(nodes: readonly Node[], outputs: readonly Value[]): Map<Value, number> {
  const last = new Map<Value, number>();
  nodes.forEach((node, at) => {
    for (const output of node.outputs) last.set(output, at);
    for (const input of node.inputs) last.set(sourceOf(input), at);
  });
  for (const output of outputs) last.set(sourceOf(output), nodes.length);
  return last;
}

/** Bytes of scores while the node runs, and the change that it leaves. `open`: probabilities that wait for a gradient. */
function attentionMemory(
  node: Node,
  dims: DimBindings,
  nodes: readonly Node[],
  open: Map<string, number>,
): { during: number; kept: number } {
  if (node.op !== 'causalAttend' && node.op !== 'causalAttendGradient') return { during: 0, kept: 0 };
  const { headDim, blocks } = node.attributes as CausalAttention;
  const [q, k] = node.inputs as [Value, Value];
  const [batch, length, width] = q.shape.map((dim) => resolveDim(dim, dims)) as [number, number, number];
  const block = (4 * batch * (width / headDim) * length * length) / blocks;
  const all = (block * (blocks + 1)) / 2;
  const key = `${q.node.id}.${q.index} ${k.node.id}.${k.index}`;
  if (node.op === 'causalAttend') {
    const wanted = nodes.some(({ op, inputs }) => op === 'causalAttendGradient' && inputs[0] === q && inputs[1] === k);
    if (wanted) open.set(key, all);
    return wanted ? { during: all + block, kept: all } : { during: 2 * block, kept: 0 };
  }
  const waiting = open.get(key) ?? 0;
  open.delete(key);
  // The runtime makes the gradients of all blocks' scores before it uses the first.
  return { during: (waiting === 0 ? all : 0) + all + block, kept: -waiting };
}
