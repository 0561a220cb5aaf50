/**
 * Reads a Python pickle that holds one string, and nothing else. No opcode that builds, imports or calls anything is
 * known here, so a hostile file can do no more than be refused. Opcodes: Python's pickletools, protocols 2 to 5.
 */
const opcode = {
  proto: 0x80,
  frame: 0x95,
  memoize: 0x94,
  stop: 0x2e,
  put: 0x71,
  longPut: 0x72,
  text: 0x58,
  shortText: 0x8c,
  longText: 0x8d,
};

/** The string inside. Throws an Error that names the first byte that is not part of a pickled string. */
export function readPickledText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let text: string | null = null;
  const take = (count: number): number => {
    if (at + count > bytes.length) throw new Error(`pickle ends early at byte ${at}`);
    return (at += count) - count;
  };
  const read = (length: number) => {
    if (text !== null) throw new Error('pickle holds more than one string');
    const start = take(length);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, start + length));
  };
  for (;;) {
    const code = bytes[take(1)];
    if (code === opcode.proto || code === opcode.put) take(1);
    else if (code === opcode.frame) take(8);
    else if (code === opcode.longPut) take(4);
    else if (code === opcode.shortText) read(bytes[take(1)]!);
    else if (code === opcode.text) read(view.getUint32(take(4), true));
    else if (code === opcode.longText) read(Number(view.getBigUint64(take(8), true)));
    else if (code === opcode.stop) break;
    else if (code !== opcode.memoize)
      throw new Error(`pickle opcode 0x${code!.toString(16)} at byte ${at - 1} is not part of a plain string`);
  }
  if (text === null) throw new Error('pickle holds no string');
  if (at !== bytes.length) throw new Error(`pickle has ${bytes.length - at} bytes after its end`);
  return text;
}
