/** A TCP relay that can break, swallow or delay what goes through it. Knows no protocol. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

type Mode = { kind: 'pass' } | { kind: 'cut' } | { kind: 'swallow' } | { kind: 'delay'; byMs: number };

export class Proxy {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #mode: Mode = { kind: 'pass' };

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => this.#relay(near, host, port));
  }

  /** Listens on any free loopback port. */
  static async to(host: string, port: number): Promise<Proxy> {
    const proxy = new Proxy(host, port);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#enter({ kind: 'cut' });
    this.#breakAll();
  }

  swallow(): void {
    this.#enter({ kind: 'swallow' });
  }

  delay(byMs: number): void {
    this.#enter({ kind: 'delay', byMs });
  }

  /** Lets everything through again. */
  pass(): void {
    this.#enter({ kind: 'pass' });
  }

  /** Connections that have lost bytes break: no network loses some and goes on. */
  #enter(mode: Mode): void {
    if (this.#mode.kind === 'swallow') this.#breakAll();
    this.#mode = mode;
  }

  async close(): Promise<void> {
    this.#breakAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #breakAll(): void {
    for (const socket of this.#open) socket.destroy();
    this.#open.clear();
  }

  #relay(near: Socket, host: string, port: number): void {
    if (this.#mode.kind === 'cut') {
      near.destroy();
      return;
    }
    const far = connect({ host, port, noDelay: true });
    near.setNoDelay(true);
    this.#join(near, far);
    this.#join(far, near);
  }

  #join(from: Socket, to: Socket): void {
    this.#open.add(from);
    let last: Promise<void> = Promise.resolve();
    from.on('data', (bytes) => {
      const mode = this.#mode;
      if (mode.kind === 'swallow') return;
      const wait = mode.kind === 'delay' ? new Promise<void>((resolve) => setTimeout(resolve, mode.byMs)) : null;
      // Order holds also where the delay has just ended.
      last = last.then(async () => {
        await wait;
        if (to.writable) to.write(bytes);
      });
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#open.delete(from);
      void last.then(() => to.destroy());
    });
  }
}
