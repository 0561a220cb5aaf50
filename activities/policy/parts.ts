/** Which weights of a policy version a role uses, and what the engine calls them. */
import { policyId } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/role.ts';
import { roles } from '../../shared/domain/role.ts';
import type { Learner } from '../../shared/domain/plan.ts';
import type { PolicyPart, PolicyPartRecord } from '../store/documents.ts';

export type Layout = 'shared' | 'split';

export const partsOf = (layout: Layout): readonly PolicyPart[] => (layout === 'shared' ? ['shared'] : roles);

export const partOf = (layout: Layout, role: Role): PolicyPart => (layout === 'shared' ? 'shared' : role);

/** Roles whose trajectories a learner's update uses. */
export const rolesOf = (learner: Learner): readonly Role[] => (learner === 'both' ? roles : [learner]);

/** The engine's name for stored weights: where they were made, and what they are. */
export const engineVersion = (runId: string, part: PolicyPart, { changedIn, weights }: PolicyPartRecord) =>
  `${policyId(runId, changedIn)}#${part}@${weights.slice(0, 12)}`;

/** Its name for weights that an attempt is making: no other attempt makes any under it. */
export const engineVersionInTheMaking = (runId: string, version: number, part: PolicyPart, attempt: string) =>
  `${policyId(runId, version)}#${part} by ${attempt}`;
