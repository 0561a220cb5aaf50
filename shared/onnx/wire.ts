/** Protocol-buffer bytes (encoding rules: protobuf.dev/programming-guides/encoding): only what an ONNX file needs. */
const encoder = new TextEncoder();

export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];
  private size = 0;

  /** int32, int64, enum and bool fields; negative values take ten bytes. */
  varint(field: number, value: number): this {
    return this.raw(varintBytes(field * 8)).raw(varintBytes(value));
  }

  /** float field. */
  float(field: number, value: number): this {
    return this.raw(varintBytes(field * 8 + 5)).raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  /** bytes, string and message fields. */
  bytes(field: number, value: string | Uint8Array | ProtoWriter): this {
    const payload =
      typeof value === 'string' ? encoder.encode(value) : value instanceof ProtoWriter ? value.finish() : value;
    return this.raw(varintBytes(field * 8 + 2))
      .raw(varintBytes(payload.length))
      .raw(payload);
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.size);
    let offset = 0;
    for (const chunk of this.chunks) {
      out.set(chunk, offset);
      offset += chunk.length;
    }
    return out;
  }

  private raw(bytes: Uint8Array): this {
    this.chunks.push(bytes);
    this.size += bytes.length;
    return this;
  }
}

/** Base-128, least significant group first; two's complement in 64 bits for negative values. */
function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
