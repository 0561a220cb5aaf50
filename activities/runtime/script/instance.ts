/**
 * QuickJS instances (quickjs-wasi) with the language's code in them and no script: no host access, frozen clock, no
 * randomness, capped memory and stack. An instance whose script has ended well is used again. All that a script can change
 * is linear memory (the module's one global, its stack pointer, is back where it was once no call is open): it is written
 * back to what it was before the script, byte for byte. Only instances that began with the very same bytes are reused.
 * Knows no script and no limit but that of memory.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Intrinsics, QuickJS, type JSValueHandle } from 'quickjs-wasi';
import { guestSource } from './guest.ts';

/** 2026-01-01T00:00:00Z, in nanoseconds: the time that every script sees. */
const frozenNanoseconds = 1_767_225_600_000_000_000n;
/** Largest value that leaves deep parsing clean in a thread with a 4 MB stack. */
const stackBytes = 256 * 1024;
/** Without a weak reference or a timer a script cannot observe the collector or the clock. */
const intrinsics = (Intrinsics.ALL & ~Intrinsics.WEAK_REF & ~Intrinsics.PERFORMANCE) >>> 0;
/** Instances that wait for a script in one thread; each holds 1.5 MB. */
const mostIdle = 32;

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

/** The same answers in every instance: time stands still, and what asks for randomness gets zeros. */
const frozenHost = (memory: Memory) => ({
  clock_time_get(_clock: number, _precision: bigint, result: number) {
    new DataView(memory.buffer).setBigUint64(result, frozenNanoseconds, true);
    return 0;
  },
  random_get(target: number, length: number) {
    new Uint8Array(memory.buffer, target, length).fill(0);
    return 0;
  },
});

/** Who uses an instance. */
export interface Tenant {
  /** A message of the guest. Throws into it. */
  take(type: string, json: string): void;
  /** Asked while the guest works. */
  mustStop(): boolean;
}

export class Instance {
  readonly vm: QuickJS;
  /** The language's `boot(send, json)`. */
  readonly boot: JSValueHandle;
  readonly send: JSValueHandle;
  readonly memoryBytes: number;
  tenant: Tenant | null = null;
  private readonly memory: Memory;

  private constructor(vm: QuickJS, memory: Memory, memoryBytes: number, guest: Uint8Array) {
    this.vm = vm;
    this.memory = memory;
    this.memoryBytes = memoryBytes;
    this.send = vm.newFunction('send', (type, json) => {
      this.tenant?.take(type.toString(), json.toString());
      return vm.undefined;
    });
    this.boot = vm.evalBytecode(guest);
    // Made on first use and kept by the library outside of the memory that is written back.
    void [vm.undefined, vm.null, vm.true, vm.false, vm.global];
  }

  static async open({ module, guest }: Engine, memoryBytes: number): Promise<Instance> {
    let memory: Memory | null = null;
    let instance: Instance | null = null;
    const vm = await QuickJS.create({
      wasm: module,
      wasi: (own: Memory) => frozenHost((memory = own)),
      memoryLimit: memoryBytes,
      maxStackSize: stackBytes,
      intrinsics,
      timezoneOffset: 0,
      interruptHandler: () => instance?.tenant?.mustStop() ?? false,
    });
    instance = new Instance(vm, memory!, memoryBytes, guest);
    return instance;
  }

  /** What it holds. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }
}

/** The instances of one thread. */
export class Instances {
  private readonly engine: Engine;
  private readonly idle: Instance[] = [];
  /** What each of them holds before a script. */
  private fresh: { memoryBytes: number; bytes: Uint8Array } | null = null;
  private readonly alike = new WeakSet<Instance>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  async open(memoryBytes: number): Promise<Instance> {
    if (this.fresh !== null && this.fresh.memoryBytes !== memoryBytes) {
      this.fresh = null;
      for (const instance of this.idle.splice(0)) instance.vm.dispose();
    }
    const waiting = this.idle.pop();
    if (waiting !== undefined) return waiting;
    const made = await Instance.open(this.engine, memoryBytes);
    this.fresh ??= { memoryBytes, bytes: made.bytes.slice() };
    if (Buffer.compare(made.bytes, this.fresh.bytes) === 0) this.alike.add(made);
    return made;
  }

  /** Takes an instance back; `isSound`: no limit and no fault has ended its script. */
  close(instance: Instance, isSound: boolean): void {
    instance.tenant = null;
    const { fresh } = this;
    const fits = fresh !== null && this.alike.has(instance) && instance.memoryBytes === fresh.memoryBytes;
    // Memory never shrinks: an instance that has grown goes.
    if (!isSound || !fits || this.idle.length >= mostIdle || instance.bytes.length !== fresh.bytes.length) {
      instance.vm.dispose();
      return;
    }
    instance.bytes.set(fresh.bytes);
    this.idle.push(instance);
  }
}
