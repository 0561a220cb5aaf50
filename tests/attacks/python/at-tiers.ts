/** The sandbox at every tier that this machine holds. A tier that is missing is skipped aloud, with the reason. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openPythonSandbox } from '../../../activities/runtime/python/open-sandbox.ts';
import { pythonTiers } from '../../../activities/runtime/python/contract.ts';
import type { PythonSandbox, PythonSandboxOptions, PythonTier } from '../../../activities/runtime/python/contract.ts';
import { isDomainError } from '../../../shared/errors.ts';

async function probe(tier: PythonTier): Promise<string | null> {
  try {
    await (await openPythonSandbox({ tiers: [tier], workers: 1 })).close();
    return null;
  } catch (error) {
    // A tier that lets something through must fail the tests, not skip them.
    if (isDomainError(error, 'SandboxUnavailable') && error.data['canary'] === undefined) return error.message;
    throw error;
  }
}

/** Why each tier is missing here, or null. */
export const missingTiers = new Map<PythonTier, string | null>();
for (const tier of pythonTiers) missingTiers.set(tier, await probe(tier));

/** Runs the same cases at each tier; `sandbox()` is open during them. */
export function atTiers(
  names: readonly PythonTier[],
  options: PythonSandboxOptions,
  cases: (sandbox: () => PythonSandbox, tier: PythonTier) => void,
): void {
  for (const tier of names) {
    const missing = missingTiers.get(tier) ?? null;
    if (missing !== null) {
      console.warn(`SKIPPED: Python sandbox tier ${tier}: ${missing}`);
      it.skip(`tier ${tier}: ${missing}`, () => undefined);
      continue;
    }
    describe(`tier ${tier}`, () => {
      let opened: PythonSandbox;
      beforeAll(async () => {
        opened = await openPythonSandbox({ ...options, tiers: [tier] });
      });
      afterAll(() => opened.close());
      cases(() => opened, tier);
    });
  }
}
