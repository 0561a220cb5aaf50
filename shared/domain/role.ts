/** The two roles that learn: the Designer writes a multi-agent system, the Executor plays the agents in it. */
export type Role = 'designer' | 'executor';
export const roles: readonly Role[] = ['designer', 'executor'];
