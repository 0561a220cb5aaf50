/** The codec against the platform's own AES-256-GCM, and every way in which keys and payloads can be wrong. */
import { createDecipheriv } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { afterAll, describe, expect, it } from 'vitest';
import { encryptionCodec } from './codec.ts';
import { readPayloadKeys } from './keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'metaagentx-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const base64 = (fill: number, length = 32) => Buffer.alloc(length, fill).toString('base64');
const keysOf = (text: string) => readPayloadKeys({ METAAGENTX_PAYLOAD_KEYS: text }, null)!;
const [old, fresh] = [`old:${base64(1)}`, `new:${base64(2)}`];
const secret = { question: 'Tom has 12 pens' };
const clear = defaultPayloadConverter.toPayload(secret);
const sealedWith = async (keys: string) => (await encryptionCodec(keysOf(keys)).encode([clear]))[0]!;
const openedWith = async (keys: string, payload: Payload) => {
  const [opened] = await encryptionCodec(keysOf(keys)).decode([payload]);
  return defaultPayloadConverter.fromPayload(opened!);
};

describe('the codec', () => {
  it('is AES-256-GCM over the whole payload: nonce, ciphertext, tag', async () => {
    const { metadata, data } = await sealedWith(old);
    expect(Object.entries(metadata!).map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString()}`)).toEqual([
      'encoding=binary/encrypted',
      'encryption-cipher=aes-256-gcm',
      'encryption-key-id=old',
    ]);
    const bytes = Buffer.from(data!);
    const open = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 1), bytes.subarray(0, 12));
    open.setAAD(Buffer.from('metaagentx payload 1\0aes-256-gcm\0old')).setAuthTag(bytes.subarray(-16));
    const payload = Buffer.concat([open.update(bytes.subarray(12, -16)), open.final()]);
    expect(defaultPayloadConverter.fromPayload(temporal.api.common.v1.Payload.decode(payload))).toEqual(secret);
  });

  it('never seals the same payload alike', async () => {
    const nonces = await Promise.all(
      Array.from({ length: 200 }, async () =>
        Buffer.from((await sealedWith(old)).data!)
          .subarray(0, 12)
          .toString('hex'),
      ),
    );
    expect(new Set(nonces).size).toBe(200);
  });

  it('encrypts with the first key and opens with all; what is in clear passes', async () => {
    expect(await openedWith(`${fresh},${old}`, await sealedWith(old))).toEqual(secret);
    expect(await openedWith(`${old},${fresh}`, await sealedWith(`${fresh},${old}`))).toEqual(secret);
    expect(await openedWith(old, clear)).toEqual(secret);
  });

  it('names a key that is not here', async () => {
    await expect(openedWith(fresh, await sealedWith(old))).rejects.toMatchObject({
      name: 'PayloadKeyUnknown',
      message: expect.stringMatching(/key 'old', and here are only new: add it/) as string,
      data: { keyId: 'old', known: ['new'] },
    });
  });

  it('refuses every changed byte, a cut payload, another key of the same id, and a changed id', async () => {
    const sealed = await sealedWith(`${old},${fresh}`);
    const bytes = Buffer.from(sealed.data!);
    const changed = [
      ...Array.from(bytes, (byte, at) => {
        const data = Buffer.from(bytes);
        data[at] = byte ^ 1;
        return { ...sealed, data };
      }),
      { ...sealed, data: bytes.subarray(0, -1) },
      { ...sealed, data: bytes.subarray(0, 20) },
      { ...sealed, data: null },
    ];
    for (const payload of changed)
      await expect(openedWith(old, payload)).rejects.toMatchObject({ name: 'PayloadCorrupt' });
    await expect(openedWith(`old:${base64(9)}`, sealed)).rejects.toMatchObject({ name: 'PayloadCorrupt' });
    const renamed = { ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from('new') } };
    // The very same bytes under another id: the id is authenticated.
    await expect(openedWith(`new:${base64(1)}`, renamed)).rejects.toMatchObject({ name: 'PayloadCorrupt' });
  });
});

describe('keys', () => {
  const file = (text: string) => {
    const path = join(folder, 'keys');
    writeFileSync(path, text);
    return path;
  };

  it('come from the variable, else the named file, else the configured one, else nowhere', () => {
    const named = file(`# rotation of March\n${fresh}\n\n${old} # until June\n`);
    const ids = (environment: NodeJS.ProcessEnv, configured: string | null) =>
      readPayloadKeys(environment, configured)?.map(({ id }) => id) ?? null;
    expect(ids({ METAAGENTX_PAYLOAD_KEYS: old, METAAGENTX_PAYLOAD_KEYS_FILE: named }, named)).toEqual(['old']);
    expect(ids({ METAAGENTX_PAYLOAD_KEYS_FILE: named }, 'none')).toEqual(['new', 'old']);
    expect(ids({}, named)).toEqual(['new', 'old']);
    expect(ids({}, null)).toBeNull();
  });

  it.each([
    ['too short', `a:${base64(1, 16)}`, /'a', is 16 bytes long: AES-256 needs 32; .*openssl rand -base64 32/],
    ['too long', `a:${base64(1, 33)}`, /'a', is 33 bytes long/],
    ['not base64', 'a:!!!', /'a', is not base64/],
    ['no id', base64(1), /not ID:BASE64/],
    ['a bad id', `a b:${base64(1)}`, /not ID:BASE64/],
    ['the same id twice', `a:${base64(1)},a:${base64(2)}`, /two keys with the id 'a'/],
    ['nothing', ' , ', /holds no payload key/],
  ])('%s is refused by name and without the key', (_, text, message) => {
    let refusal: Error | null = null;
    try {
      keysOf(text);
    } catch (error) {
      refusal = error as Error;
    }
    expect(refusal).toMatchObject({ name: 'InvalidConfig', message: expect.stringMatching(message) as string });
    expect(refusal!.message).not.toContain(base64(1).slice(0, 20));
  });

  it('name a file that cannot be read', () => {
    expect(() => readPayloadKeys({}, join(folder, 'none'))).toThrow(/file of payload keys cannot be read: ENOENT/);
  });
});
