/**
 * Draws one token from a row of logits and gives its log-probability under the distribution that was drawn from.
 * Temperature, then top-k, top-p and min-p, each as in Hugging Face `generate`, but of equal logits about the k-th place
 * top-k takes the first ids, k in all. The draw is the inverse of the cumulative distribution at a given uniform number;
 * this file knows no random generator.
 */
import type { SamplingSettings } from '../../../shared/domain/sampling.ts';
import { DomainError } from '../../../shared/errors.ts';

export class TokenDrawer {
  /** Of the last token drawn. Greedy draws are certain: 0. */
  logProb = 0;
  /** Unnormalised probabilities of the row, largest 1. */
  private readonly mass: Float64Array;
  /** Heap of token ids, largest mass first, ties by the smaller id. */
  private readonly heap: Int32Array;

  constructor(vocabSize: number) {
    this.mass = new Float64Array(vocabSize);
    this.heap = new Int32Array(vocabSize);
  }

  /** `logits[offset .. offset + vocabSize)`; `at` is in [0, 1). Throws `NonFiniteLoss` on logits that are not finite. */
  draw(logits: Float32Array, offset: number, settings: SamplingSettings, at: number): number {
    const size = this.mass.length;
    let best = 0;
    let largest = logits[offset]!;
    for (let id = 1; id < size; id++) {
      const logit = logits[offset + id]!;
      if (logit > largest) {
        largest = logit;
        best = id;
      } else if (Number.isNaN(logit)) largest = NaN;
    }
    if (settings.temperature === 0 && Number.isFinite(largest)) {
      this.logProb = 0;
      return best;
    }
    const total = this.fill(logits, offset, largest, settings.temperature);
    if (settings.topK > 0 || settings.topP < 1) return this.drawFromTop(settings, total, at);
    return settings.minP > 0 ? this.drawAbove(settings.minP, at) : this.drawFromAll(total, at);
  }

  private fill(logits: Float32Array, offset: number, largest: number, temperature: number): number {
    const { mass } = this;
    let total = 0;
    for (let id = 0; id < mass.length; id++) {
      const share = Math.exp((logits[offset + id]! - largest) / temperature);
      mass[id] = share;
      total += share;
    }
    if (!Number.isFinite(total) || total <= 0) {
      throw new DomainError(
        'NonFiniteLoss',
        `logits are not finite (largest ${largest}): the policy's weights are broken; go back to an earlier version`,
        { largest },
      );
    }
    return total;
  }

  private drawFromAll(total: number, at: number): number {
    const { mass } = this;
    const goal = at * total;
    let sum = 0;
    let chosen = 0;
    for (let id = 0; id < mass.length; id++) {
      const share = mass[id]!;
      if (share === 0) continue;
      chosen = id;
      sum += share;
      if (sum > goal) break;
    }
    return this.settle(chosen, total);
  }

  private drawAbove(minP: number, at: number): number {
    const { mass } = this;
    let total = 0;
    for (let id = 0; id < mass.length; id++) {
      if (mass[id]! < minP) mass[id] = 0;
      else total += mass[id]!;
    }
    return this.drawFromAll(total, at);
  }

  private drawFromTop({ topK, topP, minP }: SamplingSettings, total: number, at: number): number {
    const { mass, heap } = this;
    const size = mass.length;
    for (let id = 0; id < size; id++) heap[id] = id;
    for (let i = (size >> 1) - 1; i >= 0; i--) this.sink(i, size);
    const most = topK > 0 ? Math.min(topK, size) : size;
    // Taken tokens are swapped behind the heap's end: the k-th taken stands at size - k.
    let taken = 0;
    let sum = 0;
    let goal = topK > 0 ? Infinity : topP * total;
    const take = () => {
      const id = heap[0]!;
      taken += 1;
      heap[0] = heap[size - taken]!;
      heap[size - taken] = id;
      this.sink(0, size - taken);
      sum += mass[id]!;
    };
    do take();
    while (taken < most && sum < goal && mass[heap[0]!]! >= minP);
    if (topK > 0 && topP < 1) {
      goal = topP * this.topMass(topK, taken, sum);
      let kept = 0;
      sum = 0;
      while (kept < taken && (kept === 0 || sum < goal)) sum += mass[heap[size - ++kept]!]!;
      taken = kept;
    }
    const stop = at * sum;
    let chosen = heap[size - 1]!;
    let passed = 0;
    for (let k = 1; k <= taken; k++) {
      if (mass[heap[size - k]!] === 0) break;
      chosen = heap[size - k]!;
      passed += mass[chosen]!;
      if (passed > stop) break;
    }
    return this.settle(chosen, sum);
  }

  /** Mass of the top k, of which `taken` with mass `sum` have left the heap (min-p may have stopped before k). */
  private topMass(topK: number, taken: number, sum: number): number {
    const { mass, heap } = this;
    const size = mass.length;
    const rest = Math.min(topK, size) - taken;
    if (rest <= 0) return sum;
    const others = Array.from(heap.subarray(0, size - taken), (id) => mass[id]!).sort((a, b) => b - a);
    return others.slice(0, rest).reduce((total, share) => total + share, sum);
  }

  private settle(id: number, total: number): number {
    this.logProb = Math.log(this.mass[id]! / total);
    return id;
  }

  private sink(from: number, size: number): void {
    const { mass, heap } = this;
    const id = heap[from]!;
    const own = mass[id]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && before(mass, heap[right]!, heap[child]!)) child = right;
      const other = heap[child]!;
      if (own > mass[other]! || (own === mass[other]! && id < other)) break;
      heap[at] = other;
      at = child;
    }
    heap[at] = id;
  }
}

const before = (mass: Float64Array, a: number, b: number) => mass[a]! > mass[b]! || (mass[a]! === mass[b]! && a < b);
