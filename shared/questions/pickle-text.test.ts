import { expect, it } from 'vitest';
import { readPickledText } from './pickle-text.ts';

const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));

/** Written by CPython's pickle.dumps('[{"input": "é"}]', protocol). */
const pickles: [number, string][] = [
  [2, 'gAJYEQAAAFt7ImlucHV0IjogIsOpIn1dcQAu'],
  [3, 'gANYEQAAAFt7ImlucHV0IjogIsOpIn1dcQAu'],
  [4, 'gASVFQAAAAAAAACMEVt7ImlucHV0IjogIsOpIn1dlC4='],
  [5, 'gAWVFQAAAAAAAACMEVt7ImlucHV0IjogIsOpIn1dlC4='],
];
it.each(pickles)('reads the string of a protocol %i pickle', (_, base64) => {
  expect(readPickledText(bytes(base64))).toBe('[{"input": "é"}]');
});

it('refuses a pickle that would call something, and cut or padded ones', () => {
  // pickle.dumps of an object whose __reduce__ calls print
  const call = bytes('gASVIgAAAAAAAACMCGJ1aWx0aW5zlIwFcHJpbnSUk5SMBW93bmVklIWUUpQu');
  expect(() => readPickledText(call)).toThrow('pickle holds more than one string');
  expect(() => readPickledText(Uint8Array.from([0x80, 4, 0x63, 0x2e]))).toThrow(
    'opcode 0x63 at byte 2 is not part of a plain string',
  );
  const whole = bytes(pickles[2]![1]);
  expect(() => readPickledText(whole.subarray(0, 20))).toThrow('ends early');
  expect(() => readPickledText(Uint8Array.from([...whole, 1]))).toThrow('1 bytes after its end');
});
