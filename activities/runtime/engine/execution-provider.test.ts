import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindingFolder, checkProvider, providerFailure } from './execution-provider.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'provider-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const place = (name: string) => writeFileSync(join(folder, name), '');

test('the processor needs no further library', () => {
  expect(() => checkProvider('cpu', folder)).not.toThrow();
});

test('cuda without its libraries names each and the command', () => {
  expect(() => checkProvider('cuda', folder)).toThrow(
    /providers_shared\.so and libonnxruntime_providers_cuda\.so are not.*npm run setup:cuda/,
  );
  place('libonnxruntime_providers_shared.so');
  expect(() => checkProvider('cuda', folder)).toThrow(/is 'cuda', but libonnxruntime_providers_cuda\.so is not/);
  place('libonnxruntime_providers_cuda.so');
  expect(() => checkProvider('cuda', folder)).not.toThrow();
});

test('webgpu is refused by name', () => {
  expect(() => checkProvider('webgpu', folder)).toThrow(expect.objectContaining({ name: 'InvalidConfig' }));
});

test('a provider that does not load is told from a graph that does not', () => {
  const text = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
  expect(providerFailure('cuda', new Error(text))?.message).toContain('LD_LIBRARY_PATH');
  expect(providerFailure('cuda', new Error('no such operator'))).toBeUndefined();
  expect(providerFailure('cpu', new Error(text))).toBeUndefined();
});

test('the folder that is looked into is where the binding is', () => {
  expect(bindingFolder()).toMatch(/onnxruntime-node\/bin\/napi-v6\//);
});
