/**
 * Says quickly whether a download site can be reached at all, so that a machine without internet does not wait for
 * time-outs. Knows nothing about what is downloaded. With a proxy configured, names are the proxy's business.
 */
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';

/**
 * Null when the host answers, else why not.
 * @param {string} host
 * @param {import('./paths.mjs').Env} env
 * @param {{ port?: number, timeoutMs?: number }} [options]
 * @returns {Promise<string | null>}
 */
export async function unreachable(host, env, { port = 443, timeoutMs = 4000 } = {}) {
  if (env.HTTPS_PROXY ?? env.https_proxy ?? env.ALL_PROXY ?? env.all_proxy) return null;
  const timer = new AbortController();
  const late = new Promise((resolve) => {
    const handle = setTimeout(() => resolve(`${host} did not answer within ${timeoutMs} ms`), timeoutMs);
    timer.signal.addEventListener('abort', () => clearTimeout(handle));
  });
  const answer = await Promise.race([late, tryConnect(host, port, timeoutMs)]);
  timer.abort();
  return /** @type {string | null} */ (answer);
}

/**
 * @param {string} host
 * @param {number} port
 * @param {number} timeoutMs
 * @returns {Promise<string | null>}
 */
export async function tryConnect(host, port, timeoutMs) {
  try {
    await lookup(host);
  } catch (error) {
    return `${host} does not resolve (${/** @type {NodeJS.ErrnoException} */ (error).code ?? 'unknown'})`;
  }
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    /** @param {string | null} answer */
    const done = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => done(`${host}:${port} did not answer within ${timeoutMs} ms`));
    socket.once('connect', () => done(null));
    socket.once('error', (error) => done(`${host}:${port} refused (${error.message})`));
  });
}
