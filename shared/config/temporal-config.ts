/**
 * What `temporal.config.ts` may say: where the servers are, which task queues, how many slots, how patient each group of
 * activities is. Hyper-parameters of a run are not here but in `runs/`. Unknown keys are refused.
 */
import { z } from 'zod';
import { parseConfig } from './parse.ts';

const ms = z.int().positive();

const policySchema = (defaults: { startToCloseMs: number; heartbeatMs: number | null }) =>
  z
    .strictObject({
      /** One attempt may take this long. */
      startToCloseMs: ms.default(defaults.startToCloseMs),
      /** An attempt that is silent for this long is taken for dead and retried elsewhere; null: no heartbeat. */
      heartbeatMs: ms.nullable().default(defaults.heartbeatMs),
      /**
       * An activity that no worker takes for this long fails its run by name (`resume` goes on with it); null, the default:
       * a run waits for its workers as long as it takes.
       */
      scheduleToStartMs: ms.nullable().default(null),
      initialRetryMs: ms.default(500),
      maximumRetryMs: ms.default(30_000),
    })
    .prefault({});

const minute = 60_000;

export const temporalConfigSchema = z.strictObject({
  /** Connection profile of the Temporal environment configuration (`temporal.toml`); TEMPORAL_* variables win over it. */
  profile: z.string().optional(),
  /** Namespace, where neither profile nor environment names one. */
  namespace: z.string().default('default'),
  /** Database of the store, where MONGODB_URI names none. */
  database: z.string().default('metaagentx'),
  queues: z
    .strictObject({
      control: z.string().default('metaagent-control'),
      gpu: z.string().default('metaagent-gpu'),
      sandbox: z.string().default('metaagent-sandbox'),
    })
    .prefault({}),
  workers: z
    .strictObject({
      /** Activities that a gpu worker runs at once: enough to keep the engine's batch full. */
      gpuSlots: z.int().positive().default(64),
      /** Verifications that a sandbox worker runs at once. */
      sandboxSlots: z.int().positive().default(8),
      controlSlots: z.int().positive().default(32),
      /** Threads that host script isolates in a gpu worker. */
      scriptThreads: z.int().positive().default(1),
      /** Versions of control workers, for rolling upgrades (docs/operations.md). */
      deploymentName: z.string().min(1).default('metaagentx'),
      /** This version's name; METAAGENTX_BUILD_ID wins over it. Null: workers carry no version. */
      buildId: z.string().min(1).nullable().default(null),
      /** Time a stopping worker gives its activities. */
      shutdownGraceMs: ms.default(5_000),
    })
    .prefault({}),
  engine: z
    .strictObject({
      /** `cuda` needs its provider's libraries (`npm run setup:cuda`); `webgpu` is refused (docs/engine.md). */
      executionProvider: z.enum(['cpu', 'cuda', 'webgpu']).default('cpu'),
      /** Threads of a decode graph; 1 is best for small models. */
      decodeThreads: z.int().positive().default(1),
      trainThreads: z.int().positive().default(2),
      /** Whether idle graph threads spin; false where other processes share the cores. */
      spin: z.boolean().default(false),
      /** Calls that are generated together, at most. */
      maxBatch: z.int().positive().default(128),
      /** Tokens that one graph run decodes for every call; more than 1 (16, say) is for `cuda`. */
      decodeChunk: z.int().min(1).max(256).default(1),
      /**
       * Weights of up to so many bytes are constants of generation sessions, one copy each; larger ones go in with every run.
       * By default 512 MiB on `cpu` and 16 GiB on `cuda`.
       */
      constantWeightBytes: z.int().min(0).optional(),
      /** Tokens of one prefill run, padding included, at most. */
      maxPrefillTokens: z.int().positive().default(16_384),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      /** `HOST:PORT` of the control worker's Prometheus endpoint; gpu and sandbox take the two ports after it. Null: none. */
      metrics: z.string().nullable().default(null),
    })
    .prefault({}),
  /** Encryption of what Temporal stores (docs/servers.md). */
  payloads: z
    .strictObject({
      /** One `ID:BASE64` a line; METAAGENTX_PAYLOAD_KEYS and METAAGENTX_PAYLOAD_KEYS_FILE win over it. Null: in clear. */
      keysFile: z.string().min(1).nullable().default(null),
    })
    .prefault({}),
  /** Copies of weights on a gpu worker's own disk, under its state folder. */
  localCopies: z
    .strictObject({
      /** Of all copies; the least recently read go first. 0: none. */
      maxBytes: z
        .int()
        .min(0)
        .default(8 * 2 ** 30),
    })
    .prefault({}),
  /** The sandbox of Python programs (docs/sandbox.md), in sandbox workers and, for the `python` tool, in gpu workers. */
  python: z
    .strictObject({
      /** Weaker tiers are refused. */
      minTier: z.enum(['A', 'B', 'C']).default('C'),
      /** Programs that one worker runs at once; one warm interpreter each. */
      programs: z.int().min(1).max(64).default(2),
    })
    .prefault({}),
  /** Patience by group of activities. */
  activities: z
    .strictObject({
      /** Store work: credit, records. */
      control: policySchema({ startToCloseMs: 2 * minute, heartbeatMs: 20_000 }),
      /** Sampling and executing designs; model calls may take minutes. */
      rollout: policySchema({ startToCloseMs: 60 * minute, heartbeatMs: 20_000 }),
      /** Policy updates. */
      train: policySchema({ startToCloseMs: 240 * minute, heartbeatMs: 20_000 }),
      /** Verification. */
      sandbox: policySchema({ startToCloseMs: 30 * minute, heartbeatMs: 20_000 }),
    })
    .prefault({}),
});

export type TemporalConfigInput = z.input<typeof temporalConfigSchema>;
export type TemporalConfig = z.output<typeof temporalConfigSchema>;

/** Identity; gives editors the type of `temporal.config.ts`. */
export const defineConfig = (config: TemporalConfigInput): TemporalConfigInput => config;

/** Throws `InvalidConfig` naming every wrong field. */
export const resolveTemporalConfig = (input: unknown): TemporalConfig =>
  parseConfig(temporalConfigSchema, input, 'temporal.config.ts');
