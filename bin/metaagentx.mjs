#!/usr/bin/env node
/**
 * The `metaagentx` command: checks that dependencies are there and runs cli/main.ts in this process through tsx, so
 * that signals, exit code and terminal are the CLI's own. Knows no command.
 */
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`metaagentx: Node.js is ${process.versions.node}, expected >= 20.19; install a newer one.`);
  process.exit(1);
}
if (!existsSync(join(root, 'node_modules', 'tsx', 'package.json'))) {
  console.error(`metaagentx: the dependencies are not installed; run \`npm run setup\` in ${root}`);
  process.exit(1);
}
// Node >= 22.8 keeps compiled code between runs.
if ('enableCompileCache' in nodeModule) /** @type {() => void} */ (nodeModule.enableCompileCache)();

const { register } = await import('tsx/esm/api');
register();
await import(pathToFileURL(join(root, 'cli', 'main.ts')).href);
