/** Colour where the stream is a terminal that wants it; plain text otherwise. */
import type { WriteStream } from 'node:tty';

type Shade = (text: string) => string;
export type Paint = Readonly<Record<'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', Shade>>;

const plain = (text: string) => text;
export const noPaint: Paint = { bold: plain, dim: plain, green: plain, red: plain, yellow: plain, cyan: plain };

const code = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const colours: Paint = {
  bold: code(1, 22),
  dim: code(2, 22),
  green: code(32, 39),
  red: code(31, 39),
  yellow: code(33, 39),
  cyan: code(36, 39),
};

/** NO_COLOR (no-color.org) and TERM=dumb switch colour off. */
export function paintFor(stream: Pick<WriteStream, 'isTTY'>, environment: NodeJS.ProcessEnv): Paint {
  const wanted = stream.isTTY && !environment.NO_COLOR && environment.TERM !== 'dumb';
  return wanted ? colours : noPaint;
}

// eslint-disable-next-line no-control-regex -- the escape character is what is looked for
const escapes = /\u001b\[[0-9;]*m/g;

/** Columns that a text takes on a terminal; escapes take none. */
export const widthOf = (text: string) => [...text.replace(escapes, '')].length;
