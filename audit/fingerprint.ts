/** What must be equal in two runs of one recipe and seed, as three digests. Ids count without the run's name. */
import { createHash } from 'node:crypto';
import type { PolicyDocument } from '../activities/store/documents.ts';
import type { Fingerprint } from './report.ts';
import type { Tree } from './tree.ts';

export class FingerprintBuilder {
  readonly #runId: string;
  readonly #lines: Record<keyof Fingerprint, string[]> = { versions: [], credits: [], samples: [] };

  constructor(runId: string) {
    this.#runId = runId;
  }

  versions(policies: readonly PolicyDocument[]): void {
    for (const { _id, parent, parts } of policies) {
      const digests = Object.entries(parts)
        .map(([name, { changedIn, weights, optimizer, optimizerStep }]) =>
          [name, changedIn, weights, optimizer, optimizerStep].join(' '),
        )
        .sort();
      this.#lines.versions.push([this.#tail(_id), parent, ...digests].join(' '));
    }
  }

  tree({ credits, samples }: Tree): void {
    this.#lines.samples.push(...samples);
    for (const { _id, role, reward, baseline, advantage, group } of credits.values()) {
      this.#lines.credits.push([this.#tail(_id), role, reward, baseline, advantage, this.#tail(group)].join(' '));
    }
  }

  /** Order of reading does not matter. */
  digests(): Fingerprint {
    const digest = (lines: string[]) => createHash('sha256').update(lines.sort().join('\n')).digest('hex');
    const { versions, credits, samples } = this.#lines;
    return { versions: digest(versions), credits: digest(credits), samples: digest(samples) };
  }

  #tail(id: string): string {
    return id.slice(this.#runId.length);
  }
}
