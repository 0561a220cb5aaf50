/** Counts of what the engine has generated, for `stats`. */
export class GenerationCounters {
  generatedTokens = 0;
  prefilledTokens = 0;
  sharedPrefillTokens = 0;
  decodeSteps = 0;
  generateMs = 0;
  private decodedRows = 0;
  private admittedCalls = 0;
  private waitedMs = 0;

  prefilled(tokens: number, calls: number): void {
    this.prefilledTokens += tokens;
    this.sharedPrefillTokens += tokens * (calls - 1);
    this.generatedTokens += calls;
  }

  stepped(rows: number): void {
    this.decodeSteps += 1;
    this.decodedRows += rows;
    this.generatedTokens += rows;
  }

  admitted(waitedMs: number): void {
    this.admittedCalls += 1;
    this.waitedMs += waitedMs;
  }

  get meanBatch(): number {
    return this.decodeSteps === 0 ? 0 : this.decodedRows / this.decodeSteps;
  }

  get meanQueueMs(): number {
    return this.admittedCalls === 0 ? 0 : this.waitedMs / this.admittedCalls;
  }
}
