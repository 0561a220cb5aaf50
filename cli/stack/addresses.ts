/**
 * Where the servers are: the one value that the CLI, the workers and the tests need from the stack. Knows nothing about
 * how the servers were found or started (stack.ts does). Workers receive it through their environment.
 */

/** Addresses of one running stack. */
export interface StackAddresses {
  /** `host:port` of the Temporal frontend (gRPC). */
  temporalAddress: string;
  /** Temporal namespace, `default` unless configured. */
  namespace: string;
  /** Base URL of the Temporal UI, or null for a configured server whose UI is unknown. */
  uiUrl: string | null;
  /** Connection string of the MongoDB-compatible store. */
  mongoUri: string;
  /** Database name inside the store. */
  database: string;
}

/** Default database name when the connection string names none. */
export const defaultDatabase = 'metaagentx';

/** The environment variables by which a worker process learns the addresses. */
export function stackEnvironment(addresses: StackAddresses, stateDir: string): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: addresses.namespace,
    MONGODB_URI: addresses.mongoUri,
    METAAGENTX_DATABASE: addresses.database,
    METAAGENTX_STATE: stateDir,
  };
}

/** The database named in a connection string's path, else `defaultDatabase`. */
export function databaseOf(mongoUri: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]*)/.exec(mongoUri)?.[1] ?? '';
  return path === '' ? defaultDatabase : decodeURIComponent(path);
}

/** Makes addresses of workflow pages. */
export const temporalUiLink =
  (uiUrl: string | null, namespace: string) =>
  (workflowId: string): string | null =>
    uiUrl === null ? null : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
