/** TLS in front of plain servers: HTTP/2 for Temporal, which notes the headers it forwards, and bytes for MongoDB. */
import { connect as connectHttp2, constants, createSecureServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Certificates } from './certificates.ts';

export interface TlsProxy {
  port: number;
  close(): Promise<void>;
}

interface Front {
  certificates: Certificates;
  /** Clients must show a certificate of the authority. */
  mutual: boolean;
}

const secure = ({ certificates, mutual }: Front) => ({
  key: certificates.read(certificates.file('server', 'key')),
  cert: certificates.read(certificates.file('server', 'crt')),
  ca: certificates.read(certificates.ca),
  requestCert: mutual,
  rejectUnauthorized: mutual,
});

/** In front of a Temporal server at `target` (`host:port`); `onRequest` sees the headers of every call. */
export async function temporalTlsProxy(
  target: string,
  front: Front,
  onRequest: (headers: IncomingHttpHeaders) => void = () => undefined,
): Promise<TlsProxy> {
  const upstream = connectHttp2(`http://${target}`);
  const sessions = new Set<ServerHttp2Session>();
  const server = createSecureServer(secure(front));
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.on('stream', (stream, headers) => {
    onRequest(headers);
    const request = upstream.request({ ...headers, ':scheme': 'http' });
    let trailers: IncomingHttpHeaders = {};
    request.on('response', (response, flags) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(response, { waitForTrailers: !endStream, endStream });
    });
    request.on('trailers', (seen: IncomingHttpHeaders) => {
      trailers = seen;
    });
    stream.on('wantTrailers', () => void stream.sendTrailers(trailers));
    stream.on('error', () => request.close());
    stream.on('aborted', () => request.close(constants.NGHTTP2_CANCEL));
    request.on('error', () => stream.close());
    stream.pipe(request);
    request.pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        upstream.destroy();
        sessions.forEach((session) => session.destroy());
        server.close(() => resolve());
      }),
  };
}

/** In front of a server that speaks any protocol over TCP. */
export async function bytesTlsProxy(target: { host: string; port: number }, front: Front): Promise<TlsProxy> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(secure(front), (socket) => {
    sockets.add(socket);
    const behind = connect(target);
    socket.on('error', () => behind.destroy());
    behind.on('error', () => socket.destroy());
    socket.once('close', () => (sockets.delete(socket), behind.destroy()));
    socket.pipe(behind).pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        sockets.forEach((socket) => socket.destroy());
        server.close(() => resolve());
      }),
  };
}
