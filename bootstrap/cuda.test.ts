/** The CUDA provider's files are placed only if they are whole and of the library's own build. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildCommit, placeFromWheel, providerFiles } from './cuda.mjs';

let root: string;
let wheel: string;
let target: string;
const version = '9.8.7';
const built = (commit: string) => `some bytes git-branch=x, git-commit-id=${commit}, build type=Release`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cuda-'));
  wheel = join(root, 'wheel');
  target = join(root, 'binding');
  const capi = join(wheel, 'onnxruntime', 'capi');
  for (const folder of [target, capi, join(wheel, `onnxruntime_gpu-${version}.dist-info`)])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(target, 'libonnxruntime.so.1'), built('abc123'));
  writeFileSync(join(capi, `libonnxruntime.so.${version}`), built('abc123'));
  const lines = providerFiles.map((name) => {
    writeFileSync(join(capi, name), `the code of ${name}`);
    const digest = createHash('sha256').update(`the code of ${name}`).digest('base64url');
    return `onnxruntime/capi/${name},sha256=${digest},99`;
  });
  writeFileSync(join(wheel, `onnxruntime_gpu-${version}.dist-info`, 'RECORD'), lines.join('\n'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('files that fit are placed whole', () => {
  placeFromWheel({ wheel, target, version });
  for (const name of providerFiles) expect(readFileSync(join(target, name), 'utf8')).toBe(`the code of ${name}`);
  expect(readdirSync(target)).toHaveLength(3);
});

test('another build, another version and damaged files are refused, and nothing is placed', () => {
  expect(() => placeFromWheel({ wheel, target, version: '9.8.6' })).toThrow(/expected version 9\.8\.6/);
  writeFileSync(join(wheel, 'onnxruntime', 'capi', providerFiles[1]), 'other code');
  expect(() => placeFromWheel({ wheel, target, version })).toThrow(/providers_cuda\.so is damaged/);
  writeFileSync(join(target, 'libonnxruntime.so.1'), built('def456'));
  expect(() => placeFromWheel({ wheel, target, version })).toThrow(/built from abc123, onnxruntime-node from def456/);
  expect(existsSync(join(target, providerFiles[0]))).toBe(false);
});

test('a library without a build is of none', () => {
  expect(buildCommit(join(wheel, 'onnxruntime', 'capi', providerFiles[0]))).toBeNull();
});
