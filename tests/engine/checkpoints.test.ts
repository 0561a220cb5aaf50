/**
 * Checkpoints that transformers saved (tests/fixtures/checkpoints/make.py): tokens, prompts, logits and greedy
 * continuations are those of transformers, for every architecture, number format and layout of files.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFolder, type OpenCheckpoint } from '../../activities/policy/huggingface/open-folder.ts';
import { weightPieces } from '../../activities/policy/huggingface/tensor-pieces.ts';
import { LocalEngine } from '../../activities/runtime/engine/local-engine.ts';
import { PolicyTokenizer } from '../../activities/runtime/tokenizer/policy-tokenizer.ts';
import { tensorReader } from '../../shared/model/checkpoint/safetensors.ts';
import { buildPrefillGraph } from '../../shared/model/prefill-graph.ts';
import { openGraph } from './onnx-run.ts';
import { relativeError, unpack } from './torch-fixture.ts';

interface Expected {
  prompt: string;
  promptIds: number[];
  /** [promptIds.length, vocabSize] */
  logits: string;
  greedy: number[];
  messages: { role: 'system' | 'user' | 'assistant'; content: string }[];
  chatText: string;
  chatIds: number[];
  endIds: number[];
  vocabSize: number;
  dtype: string;
}

const tolerance = 1e-4;
const names = ['qwen3-f32', 'qwen2-bf16-sharded', 'llama3-f16', 'llama-bias-tied', 'qwen3-bias-bf16'];
const folderOf = (name: string) => fileURLToPath(new URL(`../fixtures/checkpoints/${name}`, import.meta.url));
const engine = new LocalEngine({
  executionProvider: 'cpu',
  decodeThreads: 1,
  trainThreads: 1,
  spin: false,
  maxBatch: 8,
  maxPrefillTokens: 1024,
});
afterAll(() => engine.close());

/** All tensors in memory, as the store gives them to the engine. */
async function tensorsOf(checkpoint: OpenCheckpoint): Promise<Map<string, Float32Array>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of weightPieces(checkpoint)) pieces.push(piece);
  const reader = tensorReader(
    pieces.reduce((sum, { length }) => sum + length, 0),
    checkpoint.directory,
  );
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

describe.each(names)('%s', (name) => {
  const expected = JSON.parse(readFileSync(`${folderOf(name)}/expected.json`, 'utf8')) as Expected;
  let checkpoint: OpenCheckpoint;
  let parameters: Map<string, Float32Array>;
  beforeAll(async () => {
    checkpoint = await openFolder(folderOf(name));
    parameters = await tensorsOf(checkpoint);
    const { decoder: config, sideFiles } = checkpoint;
    await engine.loadPolicy({ version: name, config, ...sideFiles.tokenizer, parameters: new Map(parameters) });
  });

  test('tokens and prompts', () => {
    const tokenizer = PolicyTokenizer.of(checkpoint.sideFiles.tokenizer, checkpoint.decoder.vocabSize);
    expect([...tokenizer.encode(expected.prompt)]).toEqual(expected.promptIds);
    expect(tokenizer.decode(expected.promptIds)).toBe(expected.prompt);
    expect([...tokenizer.encodeChat(expected.messages)]).toEqual(expected.chatIds);
    expect(tokenizer.decode(expected.chatIds, { keepSpecial: true })).toBe(expected.chatText);
    expect(tokenizer.endOfTurnIds).toEqual(expected.endIds);
    expect(checkpoint.dtype).toBe(expected.dtype);
    expect(checkpoint.decoder.vocabSize).toBe(expected.vocabSize);
  });

  test('logits after every token', async () => {
    const { promptIds } = expected;
    const length = promptIds.length;
    const runner = await openGraph(buildPrefillGraph(checkpoint.decoder));
    // One row for each beginning of the prompt; what follows in a row is padding.
    const result = await runner.run(
      {
        ...Object.fromEntries(parameters),
        input_ids: promptIds.flatMap(() => promptIds),
        last: promptIds.map((_, t) => t * length + t),
      },
      { B: length, T: length, L: length },
    );
    await runner.close();
    const [got, wanted] = [result['logits']!, unpack(expected.logits)];
    expect(relativeError(got, wanted)).toBeLessThan(tolerance);
    const last = (length - 1) * expected.vocabSize;
    expect(relativeError(got.subarray(last), wanted.subarray(last))).toBeLessThan(tolerance);
  });

  test('64 greedy tokens', async () => {
    const { tokenIds } = await engine.generate({
      version: name,
      promptIds: Int32Array.from(expected.promptIds),
      sampling: { temperature: 0, topP: 1, topK: 0, minP: 0, maxTokens: 64, stopStrings: [] },
      seedKey: name,
      stopTokenIds: [],
    });
    expect([...tokenIds]).toEqual(expected.greedy);
  });
});
