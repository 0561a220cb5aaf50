/**
 * What the bootstrap says: one line a step on stderr. When nothing had to be done, the steps fold into one line.
 * Knows nothing about the steps.
 */

/** A step that cannot go on; the message says what to install or change. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * @typedef {object} Report
 * @property {(step: string, text: string) => void} found a step that was settled without work
 * @property {(step: string, text: string) => void} work something that takes time, or was done
 * @property {() => void} end
 */

/**
 * @param {(line: string) => void} write
 * @param {{ verbose?: boolean }} [options]
 * @returns {Report}
 */
export function makeReport(write, { verbose = false } = {}) {
  /** @type {[string, string][]} */
  const held = [];
  let open = verbose;
  /** @type {(step: string, text: string) => void} */
  const line = (step, text) => write(`${step.padEnd(13)} ${text}`);
  const flush = () => held.splice(0).forEach(([step, text]) => line(step, text));
  return {
    found(step, text) {
      if (open) line(step, text);
      else held.push([step, text]);
    },
    work(step, text) {
      open = true;
      flush();
      line(step, text);
    },
    end() {
      if (open) line('setup', 'ready');
      else line('setup', `ready: ${held.map(([step, text]) => `${step} ${text}`).join('; ')}`);
    },
  };
}
