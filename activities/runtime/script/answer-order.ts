/**
 * In which order a script sees the answers of calls that it made at the same time: that of a virtual clock on which every
 * response token takes one unit. A call starts when the script asks, so the order depends on what was answered and never
 * on how fast; nothing is shown while a call that might have ended earlier is still open.
 */
export class AnswerOrder {
  private now = 0;
  /** Calls that wait for their answer, with the time at which each was asked. */
  private readonly asked = new Map<number, number>();

  get waiting(): number {
    return this.asked.size;
  }

  ask(call: number): void {
    this.asked.set(call, this.now);
  }

  /** The call whose answer is next, or null while one is open. `tokensOf` is null for an open call. */
  next(tokensOf: (call: number) => number | null): number | null {
    let first: { call: number; end: number } | null = null;
    for (const [call, start] of this.asked) {
      const tokens = tokensOf(call);
      if (tokens === null) return null;
      const end = start + Math.max(1, tokens);
      if (first === null || end < first.end || (end === first.end && call < first.call)) first = { call, end };
    }
    if (first === null) return null;
    this.asked.delete(first.call);
    this.now = first.end;
    return first.call;
  }
}
