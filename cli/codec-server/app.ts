/**
 * The remote codec of Temporal's own protocol (https://docs.temporal.io/remote-data-encoding): the Temporal UI sends what
 * it cannot read to /decode, and shows the answer. Whoever may ask it can read everything, so it answers one site only.
 */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';
import { isDomainError } from '../../shared/errors.ts';
import { hostNameOf } from '../listen.ts';

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** `https://HOST[:PORT]` of the Temporal UI. */
  uiOrigin: string;
  /** Names that this server may be called by; null: any. */
  hosts: readonly string[] | null;
}

/** Some payloads of the largest size that Temporal stores, as base64. */
const maxBytes = 16 * 2 ** 20;
const base64 = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'is not base64');
/** protobuf's JSON of `temporal.api.common.v1.Payloads`. */
const bodySchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), base64).default({}), data: base64.default('') })),
});
type WirePayload = z.output<typeof bodySchema>['payloads'][number];

const fromWire = ({ metadata, data }: WirePayload): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
  data: Buffer.from(data, 'base64'),
});
const toWire = ({ metadata, data }: Payload): WirePayload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});

export function codecApp({ codec, uiOrigin, hosts }: CodecServerOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const host = hostNameOf(c.req.header('host') ?? '');
    if (hosts !== null && !hosts.includes(host))
      return c.text(`this codec server does not answer to the name '${host}'\n`, 421);
    const origin = c.req.header('origin');
    c.header('Vary', 'Origin');
    c.header('Cache-Control', 'no-store');
    if (origin !== undefined && origin !== uiOrigin)
      return c.text(`this codec server serves ${uiOrigin} and not ${origin}: see --ui-origin\n`, 403);
    if (origin !== undefined) {
      c.header('Access-Control-Allow-Origin', uiOrigin);
      c.header('Access-Control-Allow-Credentials', 'true');
    }
    if (c.req.method === 'OPTIONS') {
      c.header('Access-Control-Allow-Methods', 'POST, OPTIONS');
      c.header('Access-Control-Allow-Headers', 'content-type, x-namespace, authorization');
      return c.body(null, 204);
    }
    await next();
  });
  app.use(bodyLimit({ maxSize: maxBytes, onError: (c) => c.text('the request is larger than 16 MiB\n', 413) }));
  for (const direction of ['encode', 'decode'] as const) {
    app.post(`/${direction}`, async (c) => {
      const body = bodySchema.safeParse(await c.req.json().catch(() => null));
      if (!body.success) return c.text('expected {"payloads":[{"metadata":{…base64},"data":base64}]}\n', 400);
      const payloads = await codec[direction](body.data.payloads.map(fromWire));
      return c.json({ payloads: payloads.map(toWire) });
    });
  }
  app.onError((error, c) =>
    isDomainError(error) ? c.text(`${error.name}: ${error.message}\n`, 400) : c.text('the codec failed\n', 500),
  );
  return app;
}
