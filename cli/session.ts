/**
 * What a command works with: the running stack (joined, or started for the command's duration), the store, and a
 * Temporal client. Everything that was opened is closed when the work ends, however it ends.
 */
import type { Client } from '@temporalio/client';
import type { Store } from '../activities/store/connect.ts';
import { encryptingConverter } from '../activities/payloads/data-converter.ts';
import { startTracing } from '../activities/telemetry/tracing.ts';
import type { Tracing } from '../activities/telemetry/tracing.ts';
import type { TemporalConfig } from '../shared/config/temporal-config.ts';
import { isDomainError } from '../shared/errors.ts';
import type { Cli } from './command.ts';
import { Interrupted, Unavailable } from './exit-codes.ts';
import { readConfig, stateDirOf } from './settings.ts';
import { defaultDatabase, temporalUiLink } from './stack/addresses.ts';
import type { StackAddresses } from './stack/addresses.ts';
import { dashboardUrlOf, isOwnDashboard } from './stack/dashboard.ts';
import type { Stack } from './stack/stack.ts';
import type { Workers } from './stack/workers.ts';

export interface Session {
  readonly addresses: StackAddresses;
  readonly config: TemporalConfig;
  readonly store: Store;
  readonly client: Client;
  readonly stack: Stack;
  /** True where this session started workers. */
  readonly hasOwnWorkers: boolean;
  /** Resolves when a server or worker of this session cannot be kept alive. */
  readonly lost: Promise<Error>;
  /** Page of a workflow in the Temporal UI, where its address is known. */
  readonly uiUrl: (workflowId: string) => string | null;
  /** The dashboard, or its page of a path, where one is served. */
  readonly dashboardUrl: (path?: string) => string | null;
  /** The same for what is said last: null where the page ends with this session. */
  readonly lasting: Pick<Session, 'uiUrl' | 'dashboardUrl'>;
}

export interface SessionNeeds {
  /**
   * `joined`: a running stack, or refuse and say how to start one. `started`: start what is not running, for as long as
   * the command lasts.
   */
  stack: 'joined' | 'started';
  /** `own`: start workers here. `polling`: start them only where no worker serves the gpu queue. */
  workers: 'none' | 'own' | 'polling';
  /** `started`: serve the dashboard for as long as the command lasts, where none is served. */
  dashboard?: 'started';
}

/** What commands need that train or collect: all of it for their duration, or what runs already. */
export const trainingNeeds = (withStack: boolean | undefined): SessionNeeds =>
  withStack ? { stack: 'started', workers: 'polling', dashboard: 'started' } : { stack: 'joined', workers: 'none' };

/** Opens what is needed, works, closes. Throws `Unavailable` with what to do. */
export async function withSession<T>(
  cli: Cli,
  needs: SessionNeeds,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const config = readConfig();
  const stack = await openStack(cli, needs, config);
  try {
    const session = await connect(cli, stack, config);
    try {
      const own = needs.workers === 'own' || (needs.workers === 'polling' && !(await isServed(session)));
      const [workers] = await Promise.all([
        own ? startOwnWorkers(cli, stack) : null,
        needs.dashboard === undefined ? null : startOwnDashboard(cli, stack),
      ]);
      const lost = workers === null ? stack.lost : Promise.race([stack.lost, workers.lost]);
      return await work({ ...session, hasOwnWorkers: own, lost });
    } finally {
      await session.store.close();
      await session.client.connection.close();
      await session.endTracing();
    }
  } finally {
    await stack.stop();
  }
}

async function openStack(cli: Cli, needs: SessionNeeds, config: TemporalConfig): Promise<Stack> {
  const stateDir = stateDirOf(cli.environment);
  const [{ ensureStack }, { living, readRecord }] = await Promise.all([
    import('./stack/stack.ts'),
    import('./stack/record.ts'),
  ]);
  const record = readRecord(stateDir);
  const isConfigured = (variable: string) => Boolean(cli.environment[variable]);
  const isUp =
    (living(record, 'temporal') !== null || isConfigured('TEMPORAL_ADDRESS') || isConfigured('TEMPORAL_PROFILE')) &&
    (living(record, 'mongo') !== null || isConfigured('MONGODB_URI'));
  if (!isUp && needs.stack === 'joined') {
    throw new Unavailable(
      'no servers are running for this clone. Start them in another terminal with: npx metaagentx up, or add --with-stack to run them for this command only',
    );
  }
  if (!isUp) cli.log('no servers are running for this clone: starting them for this command');
  try {
    // Joining says nothing; starting says what it starts.
    return await ensureStack({
      stateDir,
      log: isUp ? () => undefined : cli.log,
      signal: cli.signal,
      env: environmentOf(cli, config),
    });
  } catch (error) {
    if (cli.signal.aborted) throw new Interrupted('stopped while the servers were starting');
    if (isDomainError(error)) throw new Unavailable(error.message, { cause: error });
    throw error;
  }
}

/** `temporal.config.ts` speaks where the environment is silent. */
function environmentOf({ environment }: Cli, config: TemporalConfig): NodeJS.ProcessEnv {
  const ownDatabase = config.database !== defaultDatabase && !environment.MONGODB_URI;
  return {
    ...(config.profile === undefined ? {} : { TEMPORAL_PROFILE: config.profile }),
    // The default must not win over a profile's own namespace.
    ...(config.namespace === 'default' ? {} : { TEMPORAL_NAMESPACE: config.namespace }),
    ...(ownDatabase ? { METAAGENTX_DATABASE: config.database } : {}),
    ...environment,
  };
}

async function connect(
  { environment }: Cli,
  stack: Stack,
  config: TemporalConfig,
): Promise<Omit<Session, 'hasOwnWorkers' | 'lost'> & { endTracing: () => Promise<void> }> {
  const { addresses } = stack;
  const dataConverter = encryptingConverter(environment, config.payloads.keysFile);
  const tracing = await startTracing('metaagentx-cli', environment);
  const [{ openStore }, { Client: TemporalClient, Connection }, { loadClientConnectConfig }] = await Promise.all([
    import('../activities/store/connect.ts'),
    import('@temporalio/client'),
    import('@temporalio/envconfig'),
  ]);
  const store = await openStore({ uri: addresses.mongoUri, database: addresses.database });
  try {
    const { connectionOptions } = loadClientConnectConfig({ profile: config.profile });
    const connection = await Connection.connect({ ...connectionOptions, address: addresses.temporalAddress }).catch(
      (error: Error) => {
        throw new Unavailable(`no Temporal server answers at ${addresses.temporalAddress}: ${error.message}`);
      },
    );
    const { namespace } = addresses;
    const uiUrl = temporalUiLink(addresses.uiUrl, namespace);
    const dashboardUrl = dashboardLink(environment, stack.stateDir);
    return {
      addresses,
      config,
      store,
      client: new TemporalClient({
        connection,
        namespace,
        ...(dataConverter === null ? {} : { dataConverter }),
        ...(await tracedBy(tracing)),
      }),
      endTracing: async () => tracing?.close(),
      stack,
      uiUrl,
      dashboardUrl,
      lasting: {
        uiUrl: (workflowId) => (stack.owned.includes('temporal') ? null : uiUrl(workflowId)),
        dashboardUrl: (path) => (isOwnDashboard(stack.stateDir) ? null : dashboardUrl(path)),
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The workflows that a command starts or asks are children of its own spans. */
async function tracedBy(tracing: Tracing | null) {
  if (tracing === null) return {};
  const { OpenTelemetryWorkflowClientInterceptor } = await import('@temporalio/interceptors-opentelemetry');
  return { interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] } };
}

/** `METAAGENTX_DASHBOARD_URL` wins: a dashboard of one's own, served elsewhere. */
const dashboardLink =
  (environment: NodeJS.ProcessEnv, stateDir: string) =>
  (path = ''): string | null => {
    const url = environment.METAAGENTX_DASHBOARD_URL ?? dashboardUrlOf(stateDir);
    if (url === null) return null;
    return path === '' ? url : `${url}/runs/${path.split('/').map(encodeURIComponent).join('/')}`;
  };

async function startOwnDashboard(cli: Cli, stack: Stack): Promise<void> {
  const { startDashboard } = await import('./stack/dashboard.ts');
  await startDashboard(stack, cli.log);
}

async function startOwnWorkers(cli: Cli, stack: Stack): Promise<Workers> {
  const { startWorkers } = await import('./stack/workers.ts');
  try {
    return await startWorkers({ stack, log: cli.log });
  } catch (error) {
    if (cli.signal.aborted) throw new Interrupted('stopped while the workers were starting');
    throw new Unavailable((error as Error).message, { cause: error });
  }
}

/** Whether some worker polls the gpu queue (and so, by the way things are started, the others). */
export async function isServed({
  client,
  config,
  addresses,
}: Pick<Session, 'client' | 'config' | 'addresses'>): Promise<boolean> {
  return (await pollersOf(client, addresses, config.queues.gpu, 'activity')).length > 0;
}

/** A poll is renewed every minute; one that is older belongs to a worker that is gone. */
const pollLapsesMs = 70_000;

/** Identities of the workers that poll the queue. On this machine's own server, processes that ended do not count. */
export async function pollersOf(
  client: Client,
  addresses: StackAddresses,
  queue: string,
  type: 'workflow' | 'activity',
): Promise<string[]> {
  const described = await client.workflowService.describeTaskQueue({
    namespace: addresses.namespace,
    taskQueue: { name: queue },
    taskQueueType: { workflow: 1, activity: 2 }[type],
  });
  const isLocal = /^(127\.|localhost|\[?::1)/.test(addresses.temporalAddress);
  return (described.pollers ?? [])
    .filter(({ lastAccessTime }) => Date.now() - 1000 * Number(lastAccessTime?.seconds ?? 0) < pollLapsesMs)
    .map(({ identity }) => identity ?? '')
    .filter((identity) => !isLocal || isLiving(identity));
}

/** Workers name themselves QUEUE-PID; a name of another form is believed. */
function isLiving(identity: string): boolean {
  const pid = /-(\d+)$/.exec(identity)?.[1];
  if (pid === undefined) return true;
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
