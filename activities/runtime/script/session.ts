/**
 * One execution on the host's side: answers calls from the journal or by `perform`, makes each answer durable before the
 * script sees it, decides their order, and how the execution ended. A session outlives its isolate: when a thread is lost
 * it is re-run on another, finished calls are answered again and waiting ones are waited for, not asked again. Knows
 * nothing of threads; `Runner` is whoever runs the guest.
 *
 * Order of answers: `answer-order.ts`. It follows from the answers alone, so every attempt of an execution, even two
 * at the same time, shows its script the same answers in the same order and asks the same calls by the same numbers.
 */
import { noUsage } from '../../../shared/domain/usage.ts';
import type { ScriptLimits } from '../../../shared/script/limits.ts';
import type { ExecutionOutcome, ScriptProblem } from '../../../shared/script/outcomes.ts';
import { DomainError } from '../../../shared/errors.ts';
import { AnswerOrder } from './answer-order.ts';
import { AnswerGroups, modelCall, requestedTool, toolCall, typedAnswer, type AskedCall } from './calls.ts';
import type { JournalRecord, ScriptOutcome, ScriptReply, ScriptRun, TracedNode } from './contract.ts';
import { problemOf } from './location.ts';
import { GuestNonsense, readNote, readResult, readThrown, type FromThread, type StretchEnd } from './messages.ts';

export interface Runner {
  settle(json: string): void;
  /** The isolate is not needed any more. */
  drop(): void;
}

export class Session {
  readonly result: Promise<ScriptOutcome>;
  private readonly run: ScriptRun;
  private readonly limits: ScriptLimits;
  private readonly abort = new AbortController();
  private readonly known = new Map<number, AskedCall>();
  /** Answers that are durable, by call. */
  private readonly finished = new Map<number, JournalRecord['answer']>();
  private readonly journaled: Map<number, JournalRecord>;
  private readonly storing = new Set<Promise<unknown>>();
  private readonly stop: () => void;
  private wall: NodeJS.Timeout | null = null;
  private resolve!: (outcome: ScriptOutcome) => void;
  private reject!: (error: unknown) => void;
  private ended = false;
  private readonly replayed = new Set<number>();
  private runner: Runner | null = null;
  /** What one pass of the script has done so far. */
  private pass = freshPass(() => false);

  constructor(run: ScriptRun, limits: ScriptLimits) {
    this.run = run;
    this.limits = limits;
    this.journaled = new Map((run.journal ?? []).map((record) => [record.call, record]));
    for (const { call, answer } of this.journaled.values()) this.finished.set(call, answer);
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.stop = () => this.fail(run.signal?.reason);
    if (run.signal?.aborted === true) queueMicrotask(this.stop);
    else run.signal?.addEventListener('abort', this.stop, { once: true });
  }

  get over(): boolean {
    return this.ended;
  }

  /** A new isolate starts the script from the top. */
  attach(runner: Runner): void {
    this.runner = runner;
    this.pass = freshPass(this.run.answersEqual);
  }

  /** Its isolate is gone; calls that wait go on, and are answered in the next one. */
  detach(): void {
    this.runner = null;
    this.pass.idle = false;
  }

  /** What a stretch of running left. */
  hear(message: FromThread): void {
    if (this.ended) return;
    const { wallMs } = this.limits;
    this.wall ??= setTimeout(() => this.end('wall-limit', `more than ${wallMs} ms`), wallMs);
    this.pass.idle = false;
    try {
      for (const { type, json } of message.requests) {
        if (type === 'note') this.note(json);
        else this.ask(type === 'model' ? modelCall(json, this.run.promptForm, this.limits) : toolCall(json));
        if (this.ended) return;
      }
      this.afterStretch(message.end);
    } catch (error) {
      if (error instanceof GuestNonsense)
        this.end('script-error', `the script broke its own runtime: ${error.message}`);
      else this.fail(error);
    }
  }

  /** Ends the execution as data. */
  end(outcome: ExecutionOutcome, why: string | ScriptProblem | null, reply: ScriptReply | null = null): void {
    if (this.ended) return;
    this.close();
    const error = typeof why === 'string' ? { message: why, line: null, column: null } : why;
    const { usage, nodes } = this.pass;
    const calls = [...this.known.entries()]
      .sort(([left], [right]) => left - right)
      .map(([call, { host }]) => ({
        call,
        kind: host.kind,
        nodePath: host.nodePath,
        agentName: host.agentName,
        from: host.from,
        status: this.pass.delivered.get(call)?.status ?? null,
      }));
    const structureTrace = { nodes: [...nodes.values()], calls };
    const result = { outcome, reply, usage, error, structureTrace, replayedCalls: this.replayed.size };
    // A record that is on its way must have landed before the caller reads the journal.
    void Promise.allSettled(this.storing).then(() => this.resolve(result));
  }

  /** Ends the run as an infrastructure failure. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.close();
    void Promise.allSettled(this.storing).then(() => this.reject(error));
  }

  private close(): void {
    this.ended = true;
    clearTimeout(this.wall ?? undefined);
    this.run.signal?.removeEventListener('abort', this.stop);
    this.abort.abort(new Error('the execution has ended'));
    this.runner?.drop();
  }

  private note(json: string): void {
    this.pass.noted += json.length;
    if (this.pass.noted > mostNoted) throw new GuestNonsense('more notes than any structure takes');
    const { path, kind, name, status, detail } = readNote(json);
    const node: TracedNode = { nodePath: path, kind, name, status, detail };
    this.pass.nodes.set(path, node);
  }

  private ask(asked: AskedCall): void {
    const { host } = asked;
    const before = this.known.get(host.call)?.host ?? this.journaled.get(host.call);
    if (this.pass.asked.has(host.call)) throw new GuestNonsense('one call number twice');
    this.pass.asked.add(host.call);
    this.pass.order.ask(host.call);
    if (before !== undefined && before.hash !== host.hash) {
      const was = `${before.kind} ${before.nodePath}`;
      this.end('journal-diverged', `call ${host.call} was ${was} and is now another ${host.kind} at ${host.nodePath}`);
      return;
    }
    const asking = !this.known.has(host.call) && !this.journaled.has(host.call);
    this.known.set(host.call, asked);
    if (asking) void this.perform(asked);
  }

  private async perform(asked: AskedCall): Promise<void> {
    const { host } = asked;
    try {
      const given = await this.run.perform(host, this.abort.signal);
      if (this.ended) return;
      const answer = typedAnswer(asked, given, this.run.extractAnswer);
      const { call, hash, kind, nodePath, agentName } = host;
      const stored = this.run.record?.({ call, hash, kind, nodePath, agentName, answer });
      if (stored !== undefined) this.storing.add(stored);
      const standing = await stored?.finally(() => this.storing.delete(stored));
      this.finished.set(call, standing ?? answer);
      if (this.pass.idle) this.advance();
    } catch (error) {
      this.fail(error);
    }
  }

  private afterStretch(end: StretchEnd): void {
    if (end.type === 'idle') {
      this.pass.idle = true;
      this.advance();
    } else if (end.type === 'done') this.settleResult(end.json);
    else if (end.type === 'threw') this.end('script-error', problemOf(readThrown(end.json)));
    else if (end.type === 'limit') this.end(end.limit, end.message);
    else if (end.type === 'unavailable')
      this.fail(new DomainError('SandboxUnavailable', `no isolate could be made: ${end.message}`));
    else this.end('script-error', `the interpreter stopped: ${end.message}`);
  }

  /** Gives the script its next answer, once every call that it waits for is answered and durable. */
  private advance(): void {
    const { pass } = this;
    if (pass.order.waiting === 0) return this.endOfAnswers();
    const call = pass.order.next((waiting) => this.finished.get(waiting)?.responseTokens ?? null);
    if (call === null) return;
    const asked = this.known.get(call)!;
    const given = this.finished.get(call)!;
    pass.delivered.set(call, given);
    if (this.journaled.has(call)) this.replayed.add(call);
    if (this.overspent(asked, given)) return;
    const { text, answer, status, promptTokens, responseTokens } = given;
    const typed = asked.host.kind === 'model' && ['critic', 'router'].includes(asked.host.part);
    const group = answer === null || typed ? answer : pass.groups.groupOf(answer);
    const tool = requestedTool(asked, given, this.run.promptForm);
    pass.idle = false;
    this.runner?.settle(JSON.stringify({ call, text, answer, group, status, promptTokens, responseTokens, tool }));
  }

  /** The script is idle and has had every answer: it waits for ever, or the journal belongs to another script. */
  private endOfAnswers(): void {
    const extra = [...this.journaled.keys()].find((call) => !this.pass.asked.has(call));
    if (extra === undefined) this.end('waits-for-nothing', 'the script awaits something that nothing will settle');
    else this.end('journal-diverged', `the journal has an answer for call ${extra}, which the script has not made`);
  }

  /** Counts an answer's cost; true when it ended the execution. */
  private overspent(asked: AskedCall, answer: JournalRecord['answer']): boolean {
    const { limits } = this;
    const { usage } = this.pass;
    if (asked.host.kind === 'tool') usage.toolCalls += 1;
    else usage.calls += 1;
    usage.promptTokens += answer.promptTokens;
    usage.responseTokens += answer.responseTokens;
    const where = asked.host.nodePath;
    if (answer.status === 'prompt-too-long' || answer.promptTokens > limits.promptTokensPerCall) {
      this.end('prompt-token-limit', `the prompt at ${where} has more than ${limits.promptTokensPerCall} tokens`);
    } else if (answer.responseTokens > limits.responseTokensPerCall) {
      this.end('response-token-limit', `the reply at ${where} has more than ${limits.responseTokensPerCall} tokens`);
    } else if (usage.promptTokens + usage.responseTokens > limits.totalTokens) {
      this.end('total-token-limit', `more than ${limits.totalTokens} tokens in all`);
    }
    return this.ended;
  }

  private settleResult(json: string): void {
    const result = readResult(json);
    if (result.kind === 'nothing') return this.end('no-reply', 'the script returned nothing');
    if (result.kind === 'authored' && this.run.allowAuthored === true) {
      const { text } = result;
      return this.end('replied', null, { text, answer: this.run.extractAnswer(text), call: null, data: null });
    }
    if (result.kind !== 'reply') return this.end('authored-answer', 'the script returned text or an object of its own');
    if (result.call === null) return this.end('failed-reply', result.error ?? 'the returned reply has failed');
    const own = this.pass.delivered.get(result.call);
    if (own === undefined) return this.end('authored-answer', 'the script returned a reply that was never given');
    const { text, answer, status, data } = own;
    const reply = { text, answer, call: result.call, data: data ?? null };
    if (status === 'failed') return this.end('failed-reply', text, { ...reply, answer: null });
    return this.end('replied', null, reply);
  }
}

/** Characters; a node takes a few hundred. */
const mostNoted = 1 << 20;

function freshPass(equal: (left: string, right: string) => boolean) {
  return {
    idle: false,
    order: new AnswerOrder(),
    asked: new Set<number>(),
    delivered: new Map<number, JournalRecord['answer']>(),
    nodes: new Map<string, TracedNode>(),
    groups: new AnswerGroups(equal),
    usage: { ...noUsage },
    /** Characters of its notes. */
    noted: 0,
  };
}
