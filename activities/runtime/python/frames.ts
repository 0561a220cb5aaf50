/**
 * Frames between Node and a fork server: u32 header length, u32 body length, JSON header, body; big-endian. The body is
 * the concatenation of parts whose byte lengths stand in the header. The twin of zygote/frames.py. Knows no meaning.
 */
const mostBytes = 256 * 2 ** 20;

export interface Frame {
  header: Record<string, unknown>;
  parts: Buffer[];
}

export function encodeFrame(header: Record<string, unknown>, parts: readonly Buffer[]): Buffer {
  const text = Buffer.from(JSON.stringify({ ...header, parts: parts.map((part) => part.length) }));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  return Buffer.concat([lengths, text, ...parts]);
}

/** Collects chunks and hands out whole frames. Throws on a frame that no server of ours would write. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | null {
    if (this.#size < 8) return null;
    if (this.#chunks[0]!.length < 8) this.#chunks = [Buffer.concat(this.#chunks)];
    const headerLength = this.#chunks[0]!.readUInt32BE(0);
    const whole = 8 + headerLength + this.#chunks[0]!.readUInt32BE(4);
    if (whole > mostBytes) throw new Error(`a frame of ${whole} bytes; at most ${mostBytes} are expected`);
    if (this.#size < whole) return null;
    const data = Buffer.concat(this.#chunks);
    this.#chunks = [data.subarray(whole)];
    this.#size -= whole;
    const header = JSON.parse(data.toString('utf8', 8, 8 + headerLength)) as Record<string, unknown> & {
      parts: number[];
    };
    const ends = header.parts.reduce<number[]>(
      (all, length) => [...all, (all.at(-1) ?? 8 + headerLength) + length],
      [],
    );
    return { header, parts: ends.map((end, index) => data.subarray(end - header.parts[index]!, end)) };
  }
}
