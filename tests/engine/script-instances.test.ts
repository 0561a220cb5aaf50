/**
 * Instances that are used again: between two scripts they hold, byte for byte, what a new one holds, and those that a limit
 * or a fault has ended, or that have grown, are not used again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptPool } from '../../activities/runtime/script/contract.ts';
import { Instance, Instances, loadEngine } from '../../activities/runtime/script/instance.ts';
import type { Engine } from '../../activities/runtime/script/instance.ts';
import { createScriptPool } from '../../activities/runtime/script/pool.ts';
import { play } from './script-host.ts';

const memoryBytes = 64 << 20;
let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine();
});

/** Runs text in an instance as scripts are run, without the language. */
const run = ({ vm }: Instance, text: string) => vm.evalCode(text, 'test.js').toString();
const spoil = `globalThis.left = 'behind'; Array.prototype.left = 1; delete Math.max; const kept = new Map();
for (let i = 0; i < 50; i++) kept.set('key ' + i, { i }); Object.freeze(Object.prototype); 'spoiled'`;

describe('an instance', () => {
  it('is back at the bytes of a new one when its script has ended, and is used again', async () => {
    const instances = new Instances(engine);
    const first = await instances.open(memoryBytes);
    expect(run(first, spoil)).toBe('spoiled');
    const fresh = await Instance.open(engine, memoryBytes);
    expect(Buffer.compare(first.bytes, fresh.bytes)).not.toBe(0);
    instances.close(first, true);
    expect(Buffer.compare(first.bytes, fresh.bytes)).toBe(0);
    const second = await instances.open(memoryBytes);
    expect(second).toBe(first);
    expect(run(second, '[typeof left, [].left, Math.max(2, 3), Object.isFrozen(Object.prototype)].join()')).toBe(
      'undefined,,3,false',
    );
  });

  it('is not used again after a limit, after it has grown, or for another memory limit', async () => {
    const instances = new Instances(engine);
    const limited = await instances.open(memoryBytes);
    instances.close(limited, false);
    const grown = await instances.open(memoryBytes);
    expect(grown).not.toBe(limited);
    run(grown, "globalThis.big = 'x'.repeat(8 << 20); 'grown'");
    instances.close(grown, true);
    const other = await instances.open(memoryBytes / 2);
    expect(other).not.toBe(grown);
    // Its own cap, not the one that the first instance was made with.
    expect(() => run(other, "'x'.repeat(40 << 20).length")).toThrow(/memory/);
    instances.close(other, true);
    expect(await instances.open(memoryBytes)).not.toBe(other);
  });
});

describe('a pool of one thread', () => {
  let pool: ScriptPool;
  beforeAll(() => {
    pool = createScriptPool({ threads: 1 });
  });
  afterAll(() => pool.close());

  it('gives the next script nothing of the last one', async () => {
    const look = `const seen = [typeof globalThis.left, [].left === undefined, Object.isFrozen(Array.prototype)].join();
      return agent({ name: 'seen', prompt: seen }).run();`;
    const leave = `globalThis.left = 1; Array.prototype.left = 2; Object.freeze(Array.prototype); return agent('a').run();`;
    const prompts = async (script: string) =>
      (await play(pool, script, () => 'Answer: 1')).asked.map((call) =>
        call.kind === 'model' ? call.messages.map(({ content }) => content).join('\n') : '',
      );
    for (let round = 0; round < 3; round += 1) {
      await prompts(leave);
      expect((await prompts(look)).join()).toContain('undefined,true,false');
    }
  });
});
