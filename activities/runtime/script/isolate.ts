/**
 * One script in one QuickJS instance of its own (quickjs-wasi): no host access, frozen clock, seeded randomness, capped
 * memory, stack and work. Only JSON strings cross. Thin on purpose: the rest of the runtime sees `Isolate` and no engine.
 * After any limit or engine fault the instance is dropped, never used again.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { EvalFlags, Intrinsics, JSException, QuickJS, type JSValueHandle } from 'quickjs-wasi';
import { guestSource } from './guest.ts';
import { wrapperHead } from './location.ts';
import { ownThread, threadMs } from './thread-time.ts';
import type { FromThread, LimitOutcome, StartMessage, StretchEnd } from './messages.ts';

/** 2026-01-01T00:00:00Z, in nanoseconds: the time that every script sees. */
const frozenNanoseconds = 1_767_225_600_000_000_000n;
/** Largest value that leaves deep parsing clean in a thread with a 4 MB stack. */
const stackBytes = 256 * 1024;
/** Without a weak reference or a timer a script cannot observe the collector or the clock. */
const intrinsics = (Intrinsics.ALL & ~Intrinsics.WEAK_REF & ~Intrinsics.PERFORMANCE) >>> 0;
const scriptFile = 'script.js';
/** Nodes over ready replies cost no call, so a script could make them without end; later ones are not traced. */
const mostNotes = 4000;
const thread = ownThread();

type Request = FromThread['requests'][number];

interface Compiler {
  compile: (bytes: Uint8Array) => Promise<WebAssembly.Module>;
}
/** Node has WebAssembly; the libraries that the project compiles against do not declare it. */
const { compile }: Compiler = (globalThis as unknown as { WebAssembly: Compiler }).WebAssembly;

/** Compiled once in a thread. */
export interface Engine {
  module: WebAssembly.Module;
  guest: Uint8Array;
}

export async function loadEngine(): Promise<Engine> {
  const path = createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm');
  const module = await compile(readFileSync(path));
  const vm = await QuickJS.create({ wasm: module });
  const guest = vm.compile(guestSource(), 'language.js');
  vm.dispose();
  return { module, guest };
}

/** An instance's memory; its buffer is another one after each growth. */
interface Memory {
  buffer: ArrayBuffer;
}

const frozenClock = (memory: Memory) => ({
  clock_time_get(_clock: number, _precision: bigint, result: number) {
    new DataView(memory.buffer).setBigUint64(result, frozenNanoseconds, true);
    return 0;
  },
});

export class Isolate {
  readonly id: number;
  private readonly limits: StartMessage['limits'];
  private readonly vm: QuickJS;
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

  private readonly memory: Memory;

  private constructor(start: StartMessage, vm: QuickJS, memory: Memory) {
    this.memory = memory;
    this.id = start.id;
    this.limits = start.limits;
    this.vm = vm;
  }

  static async open(engine: Engine, start: StartMessage): Promise<Isolate> {
    let isolate: Isolate | null = null;
    let memory: Memory | null = null;
    const vm = await QuickJS.create({
      wasm: engine.module,
      wasi: (own: Memory) => frozenClock((memory = own)),
      memoryLimit: start.limits.memoryBytes,
      maxStackSize: stackBytes,
      intrinsics,
      timezoneOffset: 0,
      interruptHandler: () => isolate?.mustStop() ?? false,
    });
    isolate = new Isolate(start, vm, memory!);
    return isolate;
  }

  /** Runs the script until it waits or ends. */
  begin(engine: Engine, start: StartMessage): FromThread {
    return this.stretch(() => {
      const { vm } = this;
      const send = vm.newFunction('send', (type, json) => {
        this.take(type.toString(), json.toString());
        return vm.undefined;
      });
      const boot = vm.evalBytecode(engine.guest);
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
      this.vm.callFunction(this.settleHandle!, this.vm.undefined, this.vm.newString(json)).dispose();
    });
  }

  /** What it holds. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  dispose(): void {
    this.vm.dispose();
  }

  private mustStop(): boolean {
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
  private take(type: string, json: string): void {
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
      this.vm.executePendingJobs();
      end = this.finished ?? { type: 'idle' };
    } catch (error) {
      end = this.finished ?? this.faultOf(error);
    }
    this.settleTime();
    const { requests } = this;
    this.requests = [];
    return { id: this.id, requests, end: withoutMemory(end), bytes: this.bytes };
  }

  private faultOf(error: unknown): StretchEnd {
    if (error instanceof JSException) {
      const { name, message, stack } = error;
      return { type: 'threw', json: JSON.stringify({ name, message, stack: stack ?? '' }) };
    }
    return { type: 'broken', message: error instanceof Error ? error.message : String(error) };
  }
}

/** An uncaught "out of memory" is the memory limit, whoever reports it. */
function withoutMemory(end: StretchEnd): StretchEnd {
  const text = end.type === 'threw' ? end.json : end.type === 'broken' ? end.message : '';
  return /out of memory/.test(text)
    ? { type: 'limit', limit: 'memory-limit', message: 'the script used all its memory' }
    : end;
}
