/** The Designer writes a script for each question: untrained, and as MetaAgent-X trains it. */
import type { DesignedSystem } from './system.ts';

export const metaAgentX: DesignedSystem = {
  kind: 'designed',
  name: 'metaagentx',
  summary: 'the pinned version designs and executes',
  paper: 'MetaAgent-X (arXiv 2605.14212)',
  departures: ['see docs/algorithm.md'],
  version: 'pinned',
};

export const untrainedDesigner: DesignedSystem = {
  kind: 'designed',
  name: 'untrained-designer',
  summary: 'the version after the cold start designs and executes: no reinforcement learning',
  paper: 'MetaAgent-X (arXiv 2605.14212), its SFT-only row',
  departures: [],
  version: 'untrained',
};
