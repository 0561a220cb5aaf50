/** What graphs run on. Refuses, before any work, a provider that is not there or not right. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DomainError } from '../../../shared/errors.ts';

export type ExecutionProvider = 'cpu' | 'cuda' | 'webgpu';

/** The CUDA provider's files, beside the library that the Node binding loads. */
const cudaFiles = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

export function bindingFolder(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  return join(dirname(main), 'bin', 'napi-v6', process.platform, process.arch);
}

export const missingCudaFiles = (folder = bindingFolder()): string[] =>
  cudaFiles.filter((name) => !existsSync(join(folder, name)));

/** Throws `InvalidConfig` with what to do. */
export function checkProvider(provider: ExecutionProvider, folder = bindingFolder()): void {
  if (provider === 'webgpu') {
    throw new DomainError(
      'InvalidConfig',
      "engine.executionProvider is 'webgpu', which was never proven: gradients were wrong on it from the loss head on (one software device), and generation was not tried. Set it to 'cpu' or 'cuda'",
      { provider },
    );
  }
  const missing = provider === 'cuda' ? missingCudaFiles(folder) : [];
  if (missing.length === 0) return;
  throw new DomainError(
    'InvalidConfig',
    `engine.executionProvider is 'cuda', but ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not beside ONNX Runtime. Type: npm run setup:cuda`,
    { provider, missing },
  );
}

/**
 * CUDA's products in float32, not rounded to TF32, unless the environment already decides. To be called in the process's main
 * thread before CUDA loads: only there does an assignment to `process.env` reach the libraries.
 */
export function forbidTf32(provider: ExecutionProvider): void {
  if (provider === 'cuda') process.env.NVIDIA_TF32_OVERRIDE ??= '0';
}

/** What a failure to make a session means for its user; undefined where the provider is not at fault. */
export function providerFailure(provider: ExecutionProvider, error: unknown): DomainError | undefined {
  const text = String(error);
  if (provider !== 'cuda' || !/ExecutionProvider_Cuda|shared library|CUDA failure|CUDNN/i.test(text)) return undefined;
  return new DomainError(
    'InvalidConfig',
    `engine.executionProvider is 'cuda', but the CUDA provider does not start (${text}). It needs an NVIDIA driver and CUDA's libraries (cudart, cublas, cufft, curand, cudnn 9, of the provider's CUDA version) on LD_LIBRARY_PATH: docs/engine.md. Set it to 'cpu' to go on without`,
    { provider },
    { cause: error },
  );
}
