/**
 * The guest's source: the modules of `guest/` as one function expression. They are written as ES modules so that editors
 * and linters follow them; the isolate has no module loader, so imports and exports are taken out and the files are put
 * into one scope, dependencies first.
 */
import { readFileSync } from 'node:fs';

const files = ['reply', 'link', 'node', 'memory', 'agent', 'vote', 'refine', 'flow', 'options', 'boot'];

/** An expression whose value is `boot(send, json)`. */
export function guestSource(): string {
  const bodies = files.map((file) =>
    readFileSync(new URL(`./guest/${file}.mjs`, import.meta.url), 'utf8')
      .replace(/^import [^;]*;$/gm, '')
      .replace(/^export /gm, ''),
  );
  return `(() => {\n'use strict';\n${bodies.join('\n')}\nreturn boot;\n})()`;
}
