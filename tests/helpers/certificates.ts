/** Certificates of a test's own, made with openssl: an authority, a server at 127.0.0.1, a client, and a stranger. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Holder = 'server' | 'client';

export interface Certificates {
  /** Files. */
  ca: string;
  otherCa: string;
  file(holder: Holder, kind: 'crt' | 'key'): string;
  read(path: string): Buffer;
}

const days = ['-days', '2'];
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** `names` are further host names of the server. */
export function makeCertificates(folder: string, names: readonly string[] = []): Certificates {
  const hosts = ['localhost', ...names].map((name) => `DNS:${name}`).join(',');
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      ...curve,
      ...days,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.crt`),
      '-subj',
      `/CN=${name}`,
    );
  authority('ca');
  authority('other-ca');
  for (const holder of ['server', 'client']) {
    openssl('req', ...curve, '-keyout', at(`${holder}.key`), '-out', at(`${holder}.csr`), '-subj', `/CN=${holder}`);
    writeFileSync(at(`${holder}.ext`), `subjectAltName=IP:127.0.0.1,${hosts}\n`);
    const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at(`${holder}.ext`)];
    openssl('x509', '-req', ...days, '-in', at(`${holder}.csr`), '-out', at(`${holder}.crt`), ...signed);
  }
  return {
    ca: at('ca.crt'),
    otherCa: at('other-ca.crt'),
    file: (holder, kind) => at(`${holder}.${kind}`),
    read: (path) => readFileSync(path),
  };
}
