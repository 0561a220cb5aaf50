/**
 * `setup:cuda --from npm`: onnxruntime-node's own install script, as it is, against a feed of the test's own that answers
 * in NuGet's place (a proxy leads the script there). The files are small texts; what is real is every step of the way.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer as createFeed } from 'node:https';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import AdmZip from 'adm-zip';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bindingFolder, providerFiles, provisionCuda } from '../../bootstrap/cuda.mjs';
import { makeReport } from '../../bootstrap/report.mjs';
import { makeCertificates } from '../helpers/certificates.ts';

const installed = fileURLToPath(new URL('../../node_modules', import.meta.url));
const feedHost = 'api.nuget.org';
const { version } = JSON.parse(readFileSync(join(installed, 'onnxruntime-node', 'package.json'), 'utf8')) as {
  version: string;
};
const packageName = 'microsoft.ml.onnxruntime.gpu.linux';
const packagePath = `/flat/${packageName}/${version}/${packageName}.${version}.nupkg`;
const contentOf = (name: string) => `the code of ${name}`;

let root: string;
let env: NodeJS.ProcessEnv;
let answers: Record<string, Buffer | object>;
let asked: string[];
let servers: Server[];
let sockets: Set<Socket>;

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  return (server.address() as AddressInfo).port;
};

function packageOf(names: readonly string[]): Buffer {
  const zip = new AdmZip();
  for (const name of names) zip.addFile(`runtimes/linux-x64/native/${name}`, Buffer.from(contentOf(name)));
  return zip.toBuffer();
}

const place = () => provisionCuda({ root, env, from: 'npm', report: makeReport(() => undefined, { verbose: true }) });

describe.skipIf(`${process.platform}-${process.arch}` !== 'linux-x64')(
  "setup:cuda with onnxruntime-node's script",
  () => {
    beforeEach(async () => {
      root = mkdtempSync(join(tmpdir(), 'metaagentx-cuda-'));
      const binding = join(root, 'node_modules', 'onnxruntime-node');
      mkdirSync(bindingFolder(root), { recursive: true });
      for (const part of ['package.json', 'script'])
        cpSync(join(installed, 'onnxruntime-node', part), join(binding, part), { recursive: true });
      for (const name of ['adm-zip', 'global-agent'])
        symlinkSync(join(installed, name), join(root, 'node_modules', name));
      asked = [];
      servers = [];
      sockets = new Set();
      answers = {
        '/v3/index.json': { resources: [{ '@type': 'PackageBaseAddress/3.0.0', '@id': `https://${feedHost}/flat/` }] },
        [`/flat/${packageName}/index.json`]: { versions: ['1.0.0', version] },
        [packagePath]: packageOf([...providerFiles, 'libonnxruntime_providers_tensorrt.so']),
      };
      const certificates = makeCertificates(root, [feedHost]);
      const [key, cert] = (['key', 'crt'] as const).map((kind) => certificates.read(certificates.file('server', kind)));
      const feed = createFeed({ key, cert }, ({ url }, response) => {
        asked.push(url!);
        const answer = answers[url!];
        if (answer === undefined) response.writeHead(404).end();
        else if (answer instanceof Buffer) response.end(answer);
        else response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      });
      const feedPort = await listen(feed);
      const proxy = createProxy().on('connect', ({ url }, socket) => {
        expect(url).toBe(`${feedHost}:443`);
        const far = connect(feedPort, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
        far.pipe(socket).pipe(far);
        for (const end of [far, socket]) end.on('error', () => [far, socket].forEach((each) => each.destroy()));
      });
      env = {
        ...process.env,
        GLOBAL_AGENT_HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}`,
        GLOBAL_AGENT_NO_PROXY: '',
        NODE_EXTRA_CA_CERTS: certificates.ca,
        // As `npm run setup:cuda` sets them.
        npm_config_local_prefix: root,
        npm_package_json: join(root, 'package.json'),
      };
    });
    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(root, { recursive: true });
    });

    it('places the files of the package of exactly its version', async () => {
      await place();
      for (const name of providerFiles)
        expect(readFileSync(join(bindingFolder(root), name), 'utf8')).toBe(contentOf(name));
      expect(asked).toEqual(['/v3/index.json', `/flat/${packageName}/index.json`, packagePath]);
    });

    it('says what failed and what to type where the version is not there', async () => {
      answers[`/flat/${packageName}/index.json`] = { versions: ['1.0.0'] };
      await expect(place()).rejects.toThrow(/script failed \(.*\); try --from wheel/s);
      expect(readdirSync(bindingFolder(root))).toEqual([]);
    });

    it('refuses a package that was cut short', async () => {
      const whole = answers[packagePath] as Buffer;
      answers[packagePath] = whole.subarray(0, whole.length - 40);
      await expect(place()).rejects.toThrow(/script failed \(.*\); try --from wheel/s);
      expect(existsSync(join(bindingFolder(root), providerFiles[1]))).toBe(false);
    });
  },
);
