/**
 * Tries ways to obtain a thing in order and keeps every reason for passing one over. Knows nothing about the ways.
 */
import { SetupError } from './report.mjs';

/**
 * @template T
 * @typedef {{ found: T } | { passed: string }} Attempt one rung's answer: the thing, or why it was passed over
 */

/**
 * @template T
 * @typedef {{ name: string, attempt: () => Promise<Attempt<T>> }} Rung
 */

/**
 * The first thing found. Throws `SetupError` with all reasons and `advice` when no rung has it.
 * @template T
 * @param {string} wanted
 * @param {Rung<T>[]} rungs
 * @param {string} advice what to install or set
 * @returns {Promise<{ found: T, passed: string[] }>}
 */
export async function climb(wanted, rungs, advice) {
  /** @type {string[]} */
  const passed = [];
  for (const rung of rungs) {
    const answer = await rung.attempt();
    if ('found' in answer) return { found: answer.found, passed };
    passed.push(`${rung.name}: ${answer.passed}`);
  }
  throw new SetupError(`no ${wanted} could be had.\n${passed.map((each) => `  - ${each}`).join('\n')}\n${advice}`);
}
