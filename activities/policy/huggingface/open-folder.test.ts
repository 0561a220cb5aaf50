/** What is refused about a folder, and by which name: a copy of a good one with one thing wrong. */
import { cp, mkdtemp, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PolicyTokenizer } from '../../runtime/tokenizer/policy-tokenizer.ts';
import { openFolder } from './open-folder.ts';

let directory: string;
const load = async (name: string) => {
  const source = fileURLToPath(new URL(`../../../tests/fixtures/checkpoints/${name}`, import.meta.url));
  await cp(source, directory, { recursive: true });
};
const file = (name: string) => join(directory, name);
const changeJson = async (name: string, change: (value: Record<string, never>) => object) =>
  writeFile(file(name), JSON.stringify(change(JSON.parse(await readFile(file(name), 'utf8')))));
/** Rewrites the header of model.safetensors by text, keeping its length. */
const changeHeader = async (from: string, to: string) => {
  const bytes = await readFile(file('model.safetensors'), 'latin1');
  expect(bytes).toContain(from);
  await writeFile(file('model.safetensors'), bytes.replace(from, to), 'latin1');
};
const refusal = (name: string, message: RegExp | string) =>
  expect(openFolder(directory)).rejects.toMatchObject({
    name,
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoint-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('a folder', () => {
  it('lists its tensors in the order of the decoder', async () => {
    await load('qwen2-bf16-sharded');
    const { tensors, decoder, dtype, sideFiles } = await openFolder(directory);
    expect([...tensors.keys()].slice(0, 4)).toEqual([
      'model.embed_tokens.weight',
      'model.layers.0.input_layernorm.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.0.self_attn.q_proj.bias',
    ]);
    expect(new Set([...tensors.values()].map((tensor) => tensor.file)).size).toBe(3);
    expect([decoder.architecture, dtype]).toEqual(['qwen2', 'BF16']);
    expect([...sideFiles.texts.keys()]).toEqual([
      'config.json',
      'tokenizer.json',
      'chat_template.jinja',
      'generation_config.json',
      'tokenizer_config.json',
    ]);
  });

  it.each(['config.json', 'tokenizer.json'])('is refused without %s', async (name) => {
    await load('qwen3-f32');
    await unlink(file(name));
    await refusal('InvalidInput', `has no ${name}: expected a Hugging Face model folder`);
  });

  it('is refused where there is none', async () => {
    directory = await mkdtemp(join(tmpdir(), 'checkpoint-'));
    await refusal('InvalidInput', 'has no config.json');
  });

  it('is refused for a config of another kind', async () => {
    await load('qwen3-f32');
    await writeFile(file('config.json'), '{');
    await refusal('UnsupportedModel', 'config.json is not JSON');
    await writeFile(file('config.json'), '[]');
    await refusal('UnsupportedModel', 'config.json holds no JSON object');
  });

  it('is refused for a vocabulary that the tokenizer exceeds', async () => {
    await load('qwen3-f32');
    const { sideFiles } = await openFolder(directory);
    expect(() => PolicyTokenizer.of(sideFiles.tokenizer, 282)).toThrow(
      expect.objectContaining({
        name: 'ShapeMismatch',
        message: expect.stringContaining("ids up to 282, the model's vocabulary (vocab_size) ends at 281"),
      }),
    );
    expect(PolicyTokenizer.of(sideFiles.tokenizer, 296).decode([295])).toBe('');
    expect(() => PolicyTokenizer.of(sideFiles.tokenizer, 296).decode([296])).toThrow(/token id 296/);
  });
});

describe('safetensors', () => {
  it('that are missing', async () => {
    await load('qwen3-f32');
    await unlink(file('model.safetensors'));
    await refusal('CheckpointMissing', /model.safetensors is missing: expected by .*checkpoint-/);
  });

  it('that are truncated', async () => {
    await load('qwen3-f32');
    await truncate(file('model.safetensors'), 20_000);
    await refusal('CheckpointCorrupt', /model.safetensors: the file ends at byte 20000 inside tensor '/);
  });

  it('of another dtype', async () => {
    await load('qwen3-f32');
    await changeHeader('{"dtype":"F32","shape":[16]', '{"dtype":"I32","shape":[16]');
    await refusal('UnsupportedModel', /has dtype I32; expected F32, F16, BF16/);
  });

  it('of other sizes than the config', async () => {
    await load('qwen3-f32');
    await changeJson('config.json', (config) => ({ ...config, intermediate_size: 48 }));
    await refusal(
      'ShapeMismatch',
      "tensor 'model.layers.0.mlp.gate_proj.weight' is [32, 16]; config.json makes it [48, 16]",
    );
  });

  it('with a tensor too few or too many', async () => {
    await load('qwen3-f32');
    await changeJson('config.json', (config) => ({ ...config, num_hidden_layers: 3, layer_types: undefined }));
    await refusal('CheckpointMissing', "no tensor 'model.layers.2.input_layernorm.weight' [16]");
    await changeJson('config.json', (config) => ({ ...config, num_hidden_layers: 1 }));
    await refusal('UnsupportedModel', /tensor 'model.layers.1..*' is no part of a qwen3 decoder/);
  });

  it('with a head that is tied and yet another', async () => {
    await load('qwen2-bf16-sharded');
    await changeJson('config.json', (config) => ({ ...config, tie_word_embeddings: true }));
    await refusal('UnsupportedModel', "'lm_head.weight' differs from 'model.embed_tokens.weight'");
  });
});

describe('shards', () => {
  const second = 'model-00002-of-00003.safetensors';
  beforeEach(() => load('qwen2-bf16-sharded'));

  it('that are missing', async () => {
    await unlink(file(second));
    await refusal('CheckpointMissing', new RegExp(`${second} is missing: expected by model.safetensors.index.json`));
  });

  it('that lack what the index says', async () => {
    await cp(file('model-00001-of-00003.safetensors'), file(second));
    await refusal('CheckpointCorrupt', new RegExp(`${second}: it has no tensor '`));
  });

  it.each(['{', '{}', '{"weight_map":{}}', '{"weight_map":{"a":"../b.safetensors"}}', '{"weight_map":{"a":3}}'])(
    'whose index is %s',
    async (text) => {
      await writeFile(file('model.safetensors.index.json'), text);
      await refusal('CheckpointCorrupt', 'expected a weight_map');
    },
  );
});
