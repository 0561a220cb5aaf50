/** Makes a fault happen. Resolves at once where it ends by itself later; `ends` waits for all of those. */
import type { Fleet } from './fleet.ts';
import type { Fault } from './schedule.ts';

export class Faults {
  readonly #fleet: Fleet;
  readonly #open = new Set<Promise<void>>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  /** False where there was nothing to hurt. */
  apply(fault: Fault): boolean {
    const fleet = this.#fleet;
    switch (fault.kind) {
      case 'kill':
        return this.#signal(fault.target, 'SIGKILL');
      case 'drain':
        return this.#signal(fault.target, 'SIGTERM');
      case 'freeze': {
        const pid = fleet.pidOf(fault.target);
        if (pid === null || !send(pid, 'SIGSTOP')) return false;
        return this.#later(fault.forMs, () => void send(pid, 'SIGCONT'));
      }
      case 'cut':
        fleet.proxies[fault.target].cut();
        return this.#later(fault.forMs, () => fleet.proxies[fault.target].pass());
      case 'swallow':
        fleet.proxies[fault.target].swallow();
        return this.#later(fault.forMs, () => fleet.proxies[fault.target].pass());
      case 'delay':
        fleet.proxies[fault.target].delay(fault.byMs);
        return this.#later(fault.forMs, () => fleet.proxies[fault.target].pass());
      case 'disk-full':
        if (!fleet.quota.isLimited) return false;
        fleet.quota.fill();
        return this.#later(fault.forMs, () => fleet.quota.free());
      case 'crash':
        fleet.arm(fault.point);
        return true;
    }
  }

  async ends(): Promise<void> {
    await Promise.all(this.#open);
  }

  #signal(target: Parameters<Fleet['pidOf']>[0], signal: NodeJS.Signals): boolean {
    const pid = this.#fleet.pidOf(target);
    return pid !== null && send(pid, signal);
  }

  #later(ms: number, work: () => void): true {
    const done = new Promise<void>((resolve) =>
      setTimeout(() => {
        work();
        this.#open.delete(done);
        resolve();
      }, ms),
    );
    this.#open.add(done);
    return true;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
