import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameReader, encodeFrame } from './frames.ts';

it('gives back every frame, wherever the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 17 }),
      (bodies, step) => {
        const stream = Buffer.concat(
          bodies.map((parts, n) =>
            encodeFrame(
              { n },
              parts.map((part) => Buffer.from(part)),
            ),
          ),
        );
        const reader = new FrameReader();
        const seen = [];
        for (let at = 0; at < stream.length; at += step) seen.push(...reader.push(stream.subarray(at, at + step)));
        expect(seen.map((frame) => frame.header['n'])).toEqual(bodies.map((_, n) => n));
        expect(seen.map((frame) => frame.parts.map((part) => [...part]))).toEqual(
          bodies.map((parts) => parts.map((part) => [...part])),
        );
      },
    ),
  );
});

it('refuses a frame that claims to be huge', () => {
  expect(() => new FrameReader().push(Buffer.from('ffffffff00000000', 'hex'))).toThrow(/at most/);
});
