/**
 * `npm run setup`, `prestart` and `pretest`: from a fresh clone to installed dependencies and server programs, with plain
 * Node. Each step is one line on stderr; `--json` puts the choices on stdout. Starts no server (cli/stack does).
 * Exit codes: 0 ready, 1 something must be installed (the message says what), 2 bad arguments.
 */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { withLock } from './lock.mjs';
import { provisionMongo } from './mongo.mjs';
import { cacheFolder, cloneRoot, stateFolder } from './paths.mjs';
import { makeReport, SetupError } from './report.mjs';
import { provisionTemporal } from './temporal.mjs';

const usage = `usage: node bootstrap/main.mjs [--json] [--verbose]
  Installs dependencies and server programs that are missing. See docs/servers.md.`;
const oldestNode = [20, 19];

/** @param {string} version */
export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = oldestNode;
  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor))
    throw new SetupError(
      `Node.js is ${version}, expected >= ${oldestNode.join('.')}; install a newer one (nodejs.org).`,
    );
}

/**
 * The whole bootstrap. Throws `SetupError` when something must be installed by hand.
 * @param {{ root: string, env: import('./paths.mjs').Env, report: import('./report.mjs').Report }} setting
 */
export async function setUp({ root, env, report }) {
  checkNode(process.versions.node);
  report.found('node', process.versions.node);
  const cacheDir = cacheFolder(env);
  const stateDir = stateFolder(env);
  const lock = join(stateDir, 'locks', 'setup.lock');
  const onWait = (/** @type {{ pid: number }} */ { pid }) =>
    report.work('setup', `waiting for process ${pid}, which is setting up this clone`);
  return withLock(
    lock,
    'npm ci',
    async () => {
      await ensureDependencies(root, env, report);
      const temporal = await provisionTemporal({ env, cacheDir, say: (text) => report.work('temporal', text) });
      report.found('temporal', describe(temporal.found));
      const mongo = await provisionMongo({ env, cacheDir, stateDir, say: (text) => report.work('mongodb', text) });
      report.found('mongodb', describe(mongo.found));
      return { node: process.versions.node, cacheDir, stateDir, temporal, mongo };
    },
    { onWait },
  );
}

/** @param {import('./temporal.mjs').TemporalChoice | import('./mongo.mjs').MongoChoice} choice */
function describe(choice) {
  if (choice.kind === 'external')
    return `${'uri' in choice ? withoutPassword(choice.uri) : choice.address} (${choice.source})`;
  const name = choice.kind === 'secantus' ? 'SecantusDB ' : choice.kind === 'mongod' ? 'mongod ' : '';
  return `${name}${choice.version} (${choice.source})`;
}

/** @param {string} uri */
const withoutPassword = (uri) => uri.replace(/\/\/[^@/]*@/, '//***@');

/** @param {string[]} args */
async function main(args) {
  const unknown = args.find((arg) => !['--json', '--verbose'].includes(arg));
  if (unknown !== undefined) {
    console.error(`unknown argument ${unknown}\n${usage}`);
    return 2;
  }
  const report = makeReport((line) => console.error(line), { verbose: args.includes('--verbose') });
  try {
    const result = await setUp({ root: cloneRoot, env: process.env, report });
    report.end();
    if (args.includes('--json')) console.log(JSON.stringify(result));
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup failed: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exitCode = await main(process.argv.slice(2));
