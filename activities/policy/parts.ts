/** Which weights of a policy version a role uses, and what the engine calls them. */
import { policyId } from '../../shared/domain/ids.ts';
import type { Role } from '../../shared/domain/role.ts';
import { roles } from '../../shared/domain/role.ts';
import type { Learner } from '../../shared/domain/plan.ts';
import type { PolicyPart } from '../store/documents.ts';

export type Layout = 'shared' | 'split';

export const partsOf = (layout: Layout): readonly PolicyPart[] => (layout === 'shared' ? ['shared'] : roles);

export const partOf = (layout: Layout, role: Role): PolicyPart => (layout === 'shared' ? 'shared' : role);

/** Roles whose trajectories a learner's update uses. */
export const rolesOf = (learner: Learner): readonly Role[] => (learner === 'both' ? roles : [learner]);

/** The engine's name for a part: by the version in which it last changed, so an unchanged part is loaded once. */
export const engineVersion = (runId: string, changedIn: number, part: PolicyPart) =>
  `${policyId(runId, changedIn)}#${part}`;
