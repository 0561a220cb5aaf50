/**
 * Temporal and MongoDB behind TLS with certificates of the test's own: the settings of docs/servers.md reach commands and
 * workers, client certificates and API keys arrive, and what is not trusted is refused with a reason.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { openStore } from '../../activities/store/connect.ts';
import { makeCertificates } from '../helpers/certificates.ts';
import type { Certificates } from '../helpers/certificates.ts';
import { metaagentx } from '../helpers/command-line.ts';
import { bytesTlsProxy, temporalTlsProxy } from '../helpers/tls-proxies.ts';
import type { TlsProxy } from '../helpers/tls-proxies.ts';
import { startWorkerProcess } from '../helpers/worker-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-tls-'));
const seen: { authorization: string | undefined; agent: string }[] = [];
let certificates: Certificates;
let temporal: TlsProxy;
let mutualTemporal: TlsProxy;
let mongo: TlsProxy;
let mutualMongo: TlsProxy;

beforeAll(async () => {
  certificates = makeCertificates(folder);
  const { temporalAddress, mongoUri } = inject('stack');
  const { hostname, port } = new URL(mongoUri);
  const target = { host: hostname, port: Number(port) };
  temporal = await temporalTlsProxy(temporalAddress, { certificates, mutual: false }, (headers) =>
    seen.push({ authorization: headers.authorization, agent: String(headers['user-agent']) }),
  );
  mutualTemporal = await temporalTlsProxy(temporalAddress, { certificates, mutual: true });
  mongo = await bytesTlsProxy(target, { certificates, mutual: false });
  mutualMongo = await bytesTlsProxy(target, { certificates, mutual: true });
});
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  for (const proxy of [temporal, mutualTemporal, mongo, mutualMongo]) await proxy.close();
  rmSync(folder, { recursive: true, force: true });
});

const own = () => ({
  TEMPORAL_TLS_CLIENT_CERT_PATH: certificates.file('client', 'crt'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: certificates.file('client', 'key'),
});
const trusting = (ca = certificates.ca) => ({ TEMPORAL_TLS: 'true', TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca });
const at = (proxy: TlsProxy) => ({ TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` });

/** A command that asks Temporal; the run does not exist. */
async function asked(environment: Record<string, string>) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { code, data } = await metaagentx('pause', 'no-such-run');
  return { code, message: data.error.message as string };
}
const reached = { code: 3, message: expect.stringContaining("'no-such-run'") as string };

describe('Temporal', () => {
  it('answers a command that trusts its authority', async () => {
    expect(await asked({ ...at(temporal), ...trusting() })).toEqual(reached);
  });

  it('gets the API key with every call, from commands and workers', async () => {
    seen.length = 0;
    const environment = { ...at(temporal), ...trusting(), TEMPORAL_API_KEY: 'key-of-the-test' };
    expect(await asked(environment)).toEqual(reached);
    const worker = await startWorkerProcess('control', environment);
    await worker.stop();
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer key-of-the-test']));
    expect(new Set(seen.map(({ agent }) => agent)).size).toBe(2);
  });

  it('takes settings from a profile', async () => {
    const file = join(folder, 'temporal.toml');
    writeFileSync(
      file,
      `[profile.secure]\naddress = "127.0.0.1:${mutualTemporal.port}"\nnamespace = "default"\n[profile.secure.tls]\nserver_ca_cert_path = "${certificates.ca}"\nclient_cert_path = "${certificates.file('client', 'crt')}"\nclient_key_path = "${certificates.file('client', 'key')}"\n`,
    );
    vi.stubEnv('TEMPORAL_ADDRESS', undefined);
    vi.stubEnv('TEMPORAL_NAMESPACE', undefined);
    expect(await asked({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'secure' })).toEqual(reached);
  });

  it('accepts a client certificate where it asks for one', async () => {
    const environment = { ...at(mutualTemporal), ...trusting(), ...own() };
    expect(await asked(environment)).toEqual(reached);
    const worker = await startWorkerProcess('control', environment);
    await worker.stop();
  });

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      'an authority that is not trusted',
      () => ({ ...at(temporal), TEMPORAL_TLS: 'true' }),
      /self-signed certificate in certificate chain/,
    ],
    [
      'another authority',
      () => ({ ...at(temporal), ...trusting(certificates.otherCa) }),
      /self-signed certificate in certificate chain/,
    ],
    [
      'no client certificate',
      () => ({ ...at(mutualTemporal), ...trusting() }),
      /TLS: .*(certificate required|handshake)/i,
    ],
    ['no TLS at all', () => at(temporal), /the server speaks TLS: set TEMPORAL_TLS=true/],
  ])('%s is refused with the reason', async (_, environment, message) => {
    const { code, message: said } = await asked(environment());
    expect({ code, said }).toEqual({ code: 4, said: expect.stringMatching(message) });
  });

  it('a worker that does not trust it ends with a named error', async () => {
    const environment = { ...at(temporal), ...trusting(certificates.otherCa) };
    await expect(startWorkerProcess('control', environment)).rejects.toThrow(
      /TemporalUnavailable: no Temporal server answers at 127\.0\.0\.1:\d+.*(UnknownIssuer|certificate)/is,
    );
  });
});

describe('MongoDB', () => {
  /** `withinMs`: a driver that is refused tries again until then. */
  const open = async (proxy: TlsProxy, settings: string, withinMs?: number) => {
    const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true&tls=true${settings}`;
    const { database } = inject('stack');
    const store = await openStore({ uri, database, serverSelectionTimeoutMs: withinMs });
    await store.ping();
    await store.close();
  };
  const brief = 2_000;
  const ca = () => `&tlsCAFile=${encodeURIComponent(certificates.ca)}`;

  it('answers who trusts its authority, and asks for a client certificate where it is told to', async () => {
    await open(mongo, ca());
    const both = join(folder, 'client.pem');
    const parts = (['key', 'crt'] as const).map((kind) => certificates.read(certificates.file('client', kind)));
    writeFileSync(both, Buffer.concat(parts));
    await open(mutualMongo, `${ca()}&tlsCertificateKeyFile=${encodeURIComponent(both)}`);
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    ['an authority that is not trusted', () => open(mongo, '', brief), /self-signed certificate in certificate chain/],
    [
      'another authority',
      () => open(mongo, `&tlsCAFile=${encodeURIComponent(certificates.otherCa)}`, brief),
      /self-signed certificate in certificate chain/,
    ],
    ['no client certificate', () => open(mutualMongo, ca(), brief), /alert|closed|certificate/],
  ])('%s is refused with the reason', async (_, work, message) => {
    await expect(work()).rejects.toMatchObject({
      name: 'StoreUnavailable',
      message: expect.stringMatching(message) as string,
    });
  });
});
