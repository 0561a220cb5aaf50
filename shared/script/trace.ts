/** What an execution did, as data: the nodes that ended and the calls that were made, in order. */

/** JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a node did, for the picture of the design as it ran. */
export interface TracedNode {
  nodePath: string;
  kind: string;
  name: string;
  status: 'ok' | 'length' | 'failed';
  /** Kind-specific: votes, verdict, chosen route, rounds. */
  detail: Json;
}

export interface TracedCall {
  /** Position in the order of asking. */
  call: number;
  kind: 'model' | 'tool';
  nodePath: string;
  agentName: string;
  /** Node paths of the replies that were shown. */
  from: readonly string[];
  /** Null: not answered to the script before the execution ended. */
  status: 'ok' | 'length' | 'failed' | 'prompt-too-long' | null;
}

export interface StructureTrace {
  nodes: readonly TracedNode[];
  calls: readonly TracedCall[];
}
