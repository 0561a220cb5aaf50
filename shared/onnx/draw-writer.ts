/**
 * Writes the draw of one token a row: temperature, then top-k, top-p and min-p, and the inverse of the cumulative
 * distribution at a uniform number, in double precision and in the order of tokens that the engine's own draw has, so that
 * both find the same token. Rows differ in their settings.
 */
import type { Emitter } from './emitter.ts';

/** Names of tensors; B rows, V tokens. */
export interface DrawInputs {
  /** float32 [B, V]. */
  readonly logits: string;
  /** float32 [B, 2]: high and low part of a number; 0 is greedy. */
  readonly temperature: string;
  /** int64 [B]; 0 keeps all. */
  readonly topK: string;
  /** float32 [B, 2], in (0, 1]. */
  readonly topP: string;
  /** float32 [B, 2], in [0, 1). */
  readonly minP: string;
  /** float32 [B, 2], in [0, 1). */
  readonly uniform: string;
}

/** TensorProto.DataType. */
const [float32, int64, float64] = [1, 7, 11];

export class DrawWriter {
  private readonly emitter: Emitter;
  private readonly vocabSize: number;

  constructor(emitter: Emitter, vocabSize: number) {
    this.emitter = emitter;
    this.vocabSize = vocabSize;
  }

  /** `truncates`: some row may have a top-k or top-p. Returns the names of ids int64 [B] and log-probs float32 [B]. */
  draw(inputs: DrawInputs, truncates: boolean): { ids: string; logProbs: string } {
    const { emitter } = this;
    const { logits } = inputs;
    const largest = this.reduce('ReduceMax', logits);
    const temperature = this.double(inputs.temperature);
    const isGreedy = emitter.emit('LessOrEqual', [temperature, this.zero()]);
    const divisor = emitter.emit('Where', [isGreedy, this.one(), temperature]);
    const distance = emitter.emit('Sub', [this.cast(logits, float64), this.cast(largest, float64)]);
    const mass = emitter.emit('Exp', [emitter.emit('Div', [distance, divisor])]);
    const minP = this.double(inputs.minP);
    const uniform = this.double(inputs.uniform);
    let drawn = this.fromAll(mass, minP, uniform);
    if (truncates) {
      const top = this.fromTop(mass, { minP, uniform, topK: this.column(inputs.topK), topP: this.double(inputs.topP) });
      drawn = {
        ids: emitter.emit('Where', [top.applies, top.ids, drawn.ids]),
        logProbs: emitter.emit('Where', [top.applies, top.logProbs, drawn.logProbs]),
      };
    }
    const best = emitter.emit('ArgMax', [logits], { attributes: { axis: 1, keepdims: 1 } });
    const ids = emitter.emit('Where', [isGreedy, best, drawn.ids]);
    // Certain, so 0; but not a number where the logits are not.
    const certain = emitter.emit('Mul', [largest, emitter.constant('float32', [], [0])]);
    const logProbs = emitter.emit('Where', [isGreedy, certain, this.cast(drawn.logProbs, float32)]);
    return { ids: this.flat(ids), logProbs: this.flat(logProbs) };
  }

  /** In the order of ids. */
  private fromAll(mass: string, minP: string, uniform: string) {
    const { emitter } = this;
    const kept = emitter.emit('Where', [emitter.emit('Less', [mass, minP]), this.zero(), mass]);
    const sums = this.runningSum(kept);
    const total = this.last(sums);
    const place = this.placeOf(sums, emitter.emit('Mul', [uniform, total]));
    return { ids: place, logProbs: this.logShare(kept, place, total) };
  }

  /** In the order of mass, for rows with a top-k or top-p. */
  private fromTop(mass: string, { minP, uniform, topK, topP }: Record<'minP' | 'uniform' | 'topK' | 'topP', string>) {
    const { emitter, vocabSize } = this;
    const none = emitter.constant('int64', [], [0]);
    const outputs = [emitter.fresh(), emitter.fresh()];
    emitter.emit('TopK', [mass, emitter.ints([vocabSize])], { attributes: { axis: 1 }, outputs });
    const [values, order] = outputs as [string, string];
    const sums = this.runningSum(values);
    const before = emitter.emit('Sub', [sums, values]);
    const places = emitter.constant(
      'int64',
      [1, vocabSize],
      Array.from({ length: vocabSize }, (_, i) => i),
    );
    const hasK = emitter.emit('Less', [none, topK]);
    const hasP = emitter.emit('Less', [topP, this.one()]);
    const all = emitter.constant('int64', [], [vocabSize]);
    const count = emitter.emit('Where', [hasK, emitter.emit('Min', [topK, all]), all]);
    const ofTop = this.at(sums, emitter.emit('Sub', [count, emitter.constant('int64', [], [1])]));
    const infinite = emitter.emit('Add', [emitter.emit('Mul', [this.last(sums), topP]), this.last(sums)]);
    const goal = emitter.emit('Where', [hasP, emitter.emit('Mul', [topP, ofTop]), infinite]);
    const likely = emitter.emit('And', [
      emitter.emit('Less', [before, goal]),
      emitter.emit('LessOrEqual', [minP, values]),
    ]);
    const first = emitter.emit('Equal', [places, none]);
    const isKept = emitter.emit('And', [emitter.emit('Less', [places, count]), emitter.emit('Or', [first, likely])]);
    const kept = emitter.emit('Where', [isKept, values, this.zero()]);
    const total = this.last(this.runningSum(kept));
    const place = this.placeOf(this.runningSum(kept), emitter.emit('Mul', [uniform, total]));
    return {
      applies: emitter.emit('Or', [hasK, hasP]),
      ids: this.at(order, place),
      logProbs: this.logShare(kept, place, total),
    };
  }

  /** The first place whose running sum is beyond `goal`. */
  private placeOf(sums: string, goal: string): string {
    const passed = this.cast(this.emitter.emit('LessOrEqual', [sums, goal]), float32);
    const count = this.cast(this.reduce('ReduceSum', passed), int64);
    return this.emitter.emit('Min', [count, this.emitter.constant('int64', [], [this.vocabSize - 1])]);
  }

  private logShare(kept: string, place: string, total: string): string {
    return this.emitter.emit('Log', [this.emitter.emit('Div', [this.at(kept, place), total])]);
  }

  private runningSum(x: string): string {
    return this.emitter.emit('CumSum', [x, this.emitter.constant('int64', [], [1])]);
  }
  private last(x: string): string {
    const { emitter, vocabSize } = this;
    return emitter.emit('Slice', [x, emitter.ints([vocabSize - 1]), emitter.ints([vocabSize]), emitter.ints([1])]);
  }
  private at(x: string, place: string): string {
    return this.emitter.emit('GatherElements', [x, place], { attributes: { axis: 1 } });
  }
  private reduce(type: string, x: string): string {
    return this.emitter.emit(type, [x, this.emitter.ints([1])], { attributes: { keepdims: 1 } });
  }
  private cast(x: string, to: number): string {
    return this.emitter.emit('Cast', [x], { attributes: { to } });
  }
  /** [B] as [B, 1]. */
  private column(x: string): string {
    return this.emitter.emit('Unsqueeze', [x, this.emitter.ints([1])]);
  }
  private flat(x: string): string {
    return this.emitter.emit('Squeeze', [x, this.emitter.ints([1])]);
  }
  /** High and low parts [B, 2] as one double [B, 1]. */
  private double(x: string): string {
    return this.reduce('ReduceSum', this.cast(x, float64));
  }
  private zero(): string {
    return this.cast(this.emitter.constant('float32', [], [0]), float64);
  }
  private one(): string {
    return this.cast(this.emitter.constant('float32', [], [1]), float64);
  }
}
