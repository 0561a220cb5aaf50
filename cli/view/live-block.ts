/**
 * A few lines at the bottom of a terminal that are drawn again and again, with log lines scrolling above them. On
 * anything but a terminal it draws nothing and only passes the log lines on.
 */
import type { WriteStream } from 'node:tty';
import { widthOf } from './paint.ts';

export interface LiveBlock {
  /** True where `draw` shows something. */
  readonly isLive: boolean;
  draw(lines: readonly string[]): void;
  log(line: string): void;
  /** Leaves the last drawing standing, or removes it. */
  end(keep: boolean): void;
}

type Stream = Pick<WriteStream, 'write' | 'isTTY' | 'columns'>;
const eraseDown = '\u001b[J';

export function liveBlock(stream: Stream, isLive: boolean): LiveBlock {
  let drawn: readonly string[] = [];
  const rewind = () => {
    if (drawn.length === 0) return '';
    const columns = stream.columns || 80;
    // A line wider than the terminal wraps and takes several rows.
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    return `\u001b[${rows}A\r${eraseDown}`;
  };
  const paint = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return {
    isLive,
    draw(lines) {
      if (!isLive) return;
      stream.write(rewind() + paint(lines));
      drawn = lines;
    },
    log(line) {
      stream.write(`${rewind()}${line}\n${paint(drawn)}`);
    },
    end(keep) {
      if (!keep) stream.write(rewind());
      drawn = [];
    },
  };
}
