/**
 * Why a Temporal server does not answer over TLS. gRPC says no more than that a deadline has passed; a bare handshake with
 * the same certificates says which of them is not trusted. Sends nothing.
 */
import { connect } from 'node:tls';
import type { ConnectionOptions } from '@temporalio/client';

/** Null where the handshake ends well, and where nobody listens. */
export async function tlsFault({ address = '', tls }: ConnectionOptions, withinMs: number): Promise<string | null> {
  if (!tls) {
    const speaksTls = (await handshake(address, { rejectUnauthorized: false }, withinMs)) === null;
    return speaksTls ? 'the server speaks TLS: set TEMPORAL_TLS=true, or tls in the profile' : null;
  }
  const { serverRootCACertificate: ca, clientCertPair, serverNameOverride } = tls === true ? {} : tls;
  const own = clientCertPair ? { cert: pem(clientCertPair.crt), key: pem(clientCertPair.key) } : {};
  const servername = serverNameOverride ?? undefined;
  const why = await handshake(address, { ...(ca ? { ca: pem(ca) } : {}), ...own, servername }, withinMs);
  return why === null ? null : `TLS: ${why}`;
}

const pem = (bytes: Uint8Array) => Buffer.from(bytes);

function handshake(
  address: string,
  options: { ca?: Buffer; cert?: Buffer; key?: Buffer; servername?: string; rejectUnauthorized?: boolean },
  withinMs: number,
): Promise<string | null> {
  const [, host = address, port = '7233'] = /^(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], ...options });
    const end = (why: string | null) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(withinMs, () => end('the server does not end the handshake'));
    socket.once('error', ({ message, code }: NodeJS.ErrnoException) =>
      end(message.includes(code ?? '') ? message : `${message} (${code})`),
    );
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') end('the server does not offer HTTP/2');
    });
    // A refused client certificate comes after the handshake, in place of the server's first frame.
    socket.once('data', () => end(null));
    socket.once('close', () => resolve('the server closed the connection'));
  });
}
