/**
 * One script in one QuickJS instance: seeded randomness, capped memory, stack and work. Only JSON strings cross. Thin on
 * purpose: the rest of the runtime sees `Isolate` and no engine. After any limit or engine fault the instance is dropped,
 * never used again.
 */
import { EvalFlags, JSException, type JSValueHandle } from 'quickjs-wasi';
import type { Instance, Instances, Tenant } from './instance.ts';
import { wrapperHead } from './location.ts';
import { ownThread, threadMs } from './thread-time.ts';
import type { FromThread, LimitOutcome, StartMessage, StretchEnd } from './messages.ts';

const scriptFile = 'script.js';
/** Nodes over ready replies cost no call, so a script could make them without end; later ones are not traced. */
const mostNotes = 4000;
const thread = ownThread();

type Request = FromThread['requests'][number];

export class Isolate implements Tenant {
  readonly id: number;
  private readonly limits: StartMessage['limits'];
  private readonly instance: Instance;
  private readonly instances: Instances;
  private settleHandle: JSValueHandle | null = null;
  private requests: Request[] = [];
  private finished: StretchEnd | null = null;
  private ticks = 0;
  private spentMs = 0;
  private entered = 0;
  private enteredWorkMs: number | null = null;
  private calls = 0;
  private toolCalls = 0;
  private settled = 0;
  private notes = 0;

  private broken = false;

  private constructor(start: StartMessage, instance: Instance, instances: Instances) {
    this.id = start.id;
    this.limits = start.limits;
    this.instance = instance;
    this.instances = instances;
    instance.tenant = this;
  }

  static async open(instances: Instances, start: StartMessage): Promise<Isolate> {
    return new Isolate(start, await instances.open(start.limits.memoryBytes), instances);
  }

  /** Runs the script until it waits or ends. */
  begin(start: StartMessage): FromThread {
    return this.stretch(() => {
      const { vm, boot, send } = this.instance;
      const guest = vm.callFunction(boot, vm.undefined, send, vm.newString(JSON.stringify(start.config)));
      this.settleHandle = guest.getProp('settle');
      const script = vm.evalCode(`${wrapperHead}${start.script}\n})`, scriptFile, EvalFlags.STRICT);
      vm.callFunction(guest.getProp('begin'), vm.undefined, script);
    });
  }

  /** Gives one answer to the script and runs on. */
  settle(json: string): FromThread {
    this.settled += 1;
    return this.stretch(() => {
      const { vm } = this.instance;
      vm.callFunction(this.settleHandle!, vm.undefined, vm.newString(json)).dispose();
    });
  }

  /** What it holds. */
  get bytes(): number {
    return this.instance.bytes.length;
  }

  dispose(): void {
    this.instances.close(this.instance, !this.broken && this.finished?.type !== 'limit');
  }

  mustStop(): boolean {
    if (this.finished !== null) return true;
    this.ticks += 1;
    if (this.ticks > this.limits.cpuTicks) this.stop('cpu-limit', `more than ${this.limits.cpuTicks} ticks of work`);
    else if (this.isOverworked()) this.stop('cpu-limit', `more than ${this.limits.cpuMs} ms of work`);
    return this.finished !== null;
  }

  /** The wall clock is cheap to ask; only when it says so is the thread's own time looked up. */
  private isOverworked(): boolean {
    const { cpuMs } = this.limits;
    const nowMs = performance.now();
    if (this.spentMs + nowMs - this.entered <= cpuMs) return false;
    if (this.spentMs + this.workedMs() > cpuMs) return true;
    // It has waited for a core: count what it worked, and ask again when the wall clock has moved on.
    this.settleTime();
    return false;
  }

  private workedMs(): number {
    const now = threadMs(thread);
    return now === null || this.enteredWorkMs === null ? performance.now() - this.entered : now - this.enteredWorkMs;
  }

  private settleTime(): void {
    this.spentMs += this.workedMs();
    this.entered = performance.now();
    this.enteredWorkMs = threadMs(thread);
  }

  private stop(limit: LimitOutcome, message: string): void {
    this.finished ??= { type: 'limit', limit, message };
  }

  /** A message of the guest. Counting happens here, so that a script cannot flood what lies behind. */
  take(type: string, json: string): void {
    if (this.finished !== null) throw new Error('the execution has ended');
    const { limits } = this;
    if (json.length > limits.requestChars) {
      this.stop('request-length-limit', `a request of ${json.length} characters; at most ${limits.requestChars}`);
    } else if (type === 'model' || type === 'tool') this.count(type);
    if (this.finished !== null) throw new Error('the execution has ended');
    if (type === 'done' || type === 'threw') this.finished = { type, json };
    else if (type !== 'note' || ++this.notes <= mostNotes) this.requests.push({ type: type as Request['type'], json });
  }

  private count(type: 'model' | 'tool'): void {
    const { limits } = this;
    if (type === 'model') this.calls += 1;
    else this.toolCalls += 1;
    const pending = this.calls + this.toolCalls - this.settled;
    if (this.calls > limits.calls) this.stop('call-limit', `more than ${limits.calls} model calls`);
    else if (this.toolCalls > limits.toolCalls)
      this.stop('tool-call-limit', `more than ${limits.toolCalls} tool calls`);
    else if (pending > limits.pendingCalls) {
      this.stop('pending-call-limit', `more than ${limits.pendingCalls} calls waiting at once`);
    }
  }

  private stretch(work: () => void): FromThread {
    this.entered = performance.now();
    this.enteredWorkMs = threadMs(thread);
    let end: StretchEnd;
    try {
      work();
      this.instance.vm.executePendingJobs();
      end = this.finished ?? { type: 'idle' };
    } catch (error) {
      // A trap leaves the instance's stack where it was.
      this.broken ||= !(error instanceof JSException);
      end = this.finished ?? faultOf(error);
    }
    this.settleTime();
    const { requests } = this;
    this.requests = [];
    return { id: this.id, requests, end: withoutMemory(end), bytes: this.bytes };
  }
}

function faultOf(error: unknown): StretchEnd {
  if (error instanceof JSException) {
    const { name, message, stack } = error;
    return { type: 'threw', json: JSON.stringify({ name, message, stack: stack ?? '' }) };
  }
  return { type: 'broken', message: error instanceof Error ? error.message : String(error) };
}

/** An uncaught "out of memory" is the memory limit, whoever reports it. */
function withoutMemory(end: StretchEnd): StretchEnd {
  const text = end.type === 'threw' ? end.json : end.type === 'broken' ? end.message : '';
  return /out of memory/.test(text)
    ? { type: 'limit', limit: 'memory-limit', message: 'the script used all its memory' }
    : end;
}
