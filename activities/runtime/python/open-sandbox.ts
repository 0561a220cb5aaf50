/**
 * Opens the Python sandbox at the strongest tier that this machine can hold, proven by canaries. A tier whose parts are
 * missing gives way to the next; a tier that lets a canary through is refused, never replaced in silence. There is no
 * fallback without confinement.
 */
import { DomainError, isDomainError } from '../../../shared/errors.ts';
import { layBait, standardCanaries } from './canaries.ts';
import type { Bait, Canary } from './canaries.ts';
import { findProgram, interpreterPrefixes, tiers } from './command.ts';
import type { Installation, Tier } from './command.ts';
import { defaultTestLimits, pythonTiers } from './contract.ts';
import type { PythonSandbox, PythonSandboxOptions, PythonTier } from './contract.ts';
import { runProgram } from './run.ts';
import { Slots } from './slots.ts';

const installHint = 'on Debian or Ubuntu: apt-get install -y --no-install-recommends bubblewrap python3';
const canaryLimits = { ...defaultTestLimits, cpuMs: 3_000, wallMs: 6_000, memoryMb: 256 };
const leastLandlock: Readonly<Record<PythonTier, number>> = { A: 1, B: 0, C: 3 };

/** A tier's parts are not there: the next tier may be tried. */
class TierMissing extends Error {}

/** Finds the sandbox's programs. Throws `SandboxUnavailable` without a Python. */
export function findInstallation(options: Pick<PythonSandboxOptions, 'python' | 'bubblewrap'> = {}): Installation {
  const python =
    options.python === undefined
      ? (findProgram('/usr/bin/python3') ?? findProgram('python3'))
      : findProgram(options.python);
  if (process.platform !== 'linux' || python === null) {
    const seen =
      process.platform === 'linux'
        ? `no Python at ${options.python ?? '/usr/bin/python3 or on PATH'}`
        : `this is ${process.platform}`;
    throw new DomainError(
      'SandboxUnavailable',
      `Python programs cannot be run: ${seen}, and Linux with Python 3.9 or newer is needed; ${installHint}`,
    );
  }
  return { python, bubblewrap: findProgram(options.bubblewrap ?? 'bwrap'), prefixes: interpreterPrefixes(python) };
}

/** Runs every canary, several at a time. Throws `TierMissing` or `SandboxUnavailable` for the first that fails. */
async function prove(tier: Tier, slots: Slots, canaries: readonly Canary[], bait: Bait): Promise<void> {
  const findings = await Promise.all(
    canaries.map(async (canary) => {
      const { input, ...program } = canary.run(bait);
      const limits = { ...canaryLimits, ...canary.limits };
      const result = await runProgram(slots, tier.name, { ...program, starterCode: null, tests: [{ input }], limits });
      return { canary, found: canary.check(result.tests[0]!, bait) };
    }),
  );
  const escaped = findings.find(({ canary, found }) => canary.shows === 'contained' && found !== null);
  if (escaped !== undefined) {
    throw new DomainError(
      'SandboxUnavailable',
      `Python sandbox tier ${tier.name} is broken and refused: canary '${escaped.canary.name}': ${escaped.found}. ` +
        'Nothing weaker is used in its place; mend it, or name the tiers to try (tiers: ["C"])',
      { tier: tier.name, canary: escaped.canary.name },
    );
  }
  const failed = findings.find(({ found }) => found !== null);
  if (failed !== undefined) throw new TierMissing(`canary '${failed.canary.name}': ${failed.found}`);
}

async function openTier(
  tier: Tier,
  installation: Installation,
  canaries: readonly Canary[],
  workers: number,
  testsPerServer: number,
) {
  if (tier.bubblewrap && installation.bubblewrap === null) throw new TierMissing('bubblewrap (bwrap) is not installed');
  const slots = new Slots(tier, installation, workers, testsPerServer);
  try {
    const facts = await slots.facts().catch((error: unknown) => {
      throw new TierMissing(`its fork server does not start: ${(error as Error).message}`);
    });
    if (tier.landlock && facts.landlock < leastLandlock[tier.name]) {
      throw new TierMissing(
        `Landlock ABI ${leastLandlock[tier.name]} is needed, the kernel has ${facts.landlock || 'none'}`,
      );
    }
    await slots.warm();
    const bait = await layBait();
    try {
      await prove(tier, slots, canaries, bait);
    } finally {
      await bait.remove();
    }
    return { slots, facts };
  } catch (error) {
    await slots.close();
    throw error;
  }
}

const parts = (tier: Tier, landlock: number) =>
  [
    tier.bubblewrap ? 'bubblewrap' : null,
    tier.landlock ? `Landlock ABI ${landlock}` : null,
    tier.seccomp ? 'seccomp' : null,
  ]
    .filter((part) => part !== null)
    .join(' + ');

/** `openPythonSandbox` over given tiers and canaries; tests pass weakened tiers to see them refused. */
export async function openWith(
  candidates: readonly Tier[],
  canaries: readonly Canary[],
  options: PythonSandboxOptions,
): Promise<PythonSandbox> {
  const { workers = 2, testsPerServer = 500 } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new DomainError('InvalidInput', `Python sandbox workers is ${workers}: give a whole number from 1 to 64`, {
      workers,
    });
  }
  const installation = findInstallation(options);
  const missing: string[] = [];
  for (const tier of candidates) {
    try {
      const { slots, facts } = await openTier(tier, installation, canaries, workers, testsPerServer);
      const what = `${parts(tier, facts.landlock)}, Python ${facts.python}, ${canaries.length} canaries passed`;
      return {
        tier: tier.name,
        reason: [`tier ${tier.name}: ${what}`, ...missing].join('; '),
        run: (request, signal) => runProgram(slots, tier.name, request, signal),
        close: () => slots.close(),
      };
    } catch (error) {
      if (!(error instanceof TierMissing) && !isDomainError(error, 'SandboxUnavailable')) throw error;
      if (!(error instanceof TierMissing)) throw error;
      missing.push(`tier ${tier.name} not available: ${error.message}`);
    }
  }
  throw new DomainError(
    'SandboxUnavailable',
    `Python programs are refused, because no sandbox holds on this machine: ${missing.join('; ')}. Tiers A and B need bubblewrap and user namespaces, tier C needs Landlock ABI 3 (Linux 6.2); ${installHint}`,
    { missing },
  );
}

/**
 * The sandbox at the strongest tier that holds. Takes about a second. Throws `SandboxUnavailable`, with what to install,
 * when no permitted tier is available, or when a tier lets a canary through.
 */
export function openPythonSandbox(options: PythonSandboxOptions = {}): Promise<PythonSandbox> {
  const weakest = pythonTiers.indexOf(options.minTier ?? 'C');
  const names = (options.tiers ?? pythonTiers).filter((name) => pythonTiers.indexOf(name) <= weakest);
  return openWith(
    names.map((name) => tiers[name]),
    standardCanaries,
    options,
  );
}
