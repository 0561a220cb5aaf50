/** What an audit says: which checks were made, on how much, and what was found. Knows nothing of how checks work. */

/** The closed list of checks, in the order in which a report shows them. */
export const checks = {
  documents: 'every document has its form; one that is broken counts as missing below',
  plan: 'stages, iterations and evaluations are those of the plan, in its order',
  questions: 'each pass over the training questions draws every question once, and searches ask those',
  designs: 'every planned design exists exactly once',
  executions: 'every valid design has its executions exactly once',
  calls: 'the journal of every execution is whole, and no finished call was asked again',
  trajectories: 'sampled tokens and log-probs are complete and belong to the right policy version',
  verdicts: 'every execution has one verdict, and plain numbers are judged as arithmetic judges them',
  rewards: 'rewards recompute from verdicts',
  credits: 'every trajectory has one credit, and its advantage recomputes from rewards',
  metrics: 'the numbers of iterations, evaluations and candidates recompute from documents',
  versions: 'the chain of policy versions is unbroken',
  blobs: 'every blob that a version needs is there and matches its digest',
  workflows: 'every workflow of a finished run has completed',
  activities: 'no activity was run again after it had completed',
} as const;
export type CheckName = keyof typeof checks;
export const checkNames = Object.keys(checks) as CheckName[];

export interface Finding {
  check: CheckName;
  /** Document, workflow or blob. */
  id: string;
  problem: string;
}

/** SHA-256 over content that must be equal in equal runs; ids without the run's name. */
export interface Fingerprint {
  versions: string;
  credits: string;
  samples: string;
}

export interface AuditReport {
  runId: string;
  status: string;
  /** Things that were looked at, by check. */
  examined: Record<CheckName, number>;
  findings: Finding[];
  /** What was not checked and why, and what is worth knowing. */
  notes: string[];
  fingerprint: Fingerprint;
}

/** Collects what checks see. */
export class Findings {
  readonly examined = Object.fromEntries(checkNames.map((name) => [name, 0])) as Record<CheckName, number>;
  readonly list: Finding[] = [];
  readonly notes = new Set<string>();

  /** One thing was looked at. */
  saw(check: CheckName, count = 1): void {
    this.examined[check] += count;
  }

  found(check: CheckName, id: string, problem: string): void {
    this.list.push({ check, id, problem });
  }

  /** Looks at one fact; `problem` is told where it does not hold. */
  holds(fact: boolean, check: CheckName, id: string, problem: () => string): void {
    this.saw(check);
    if (!fact) this.found(check, id, problem());
  }

  note(text: string): void {
    this.notes.add(text);
  }
}
