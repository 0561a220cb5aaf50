/** Pause, unpause and stop as a workflow sees them. The caller forwards the signals to the child that is running. */
import { condition, setHandler } from '@temporalio/workflow';
import { pauseSignal, stopSignal, unpauseSignal } from './messages.ts';

type Change = 'pause' | 'unpause' | 'stop';

export class RunControl {
  #paused: boolean;
  #stopping: boolean;

  /** The state that continue-as-new or a parent hands on. */
  constructor({ paused, stopping }: { paused: boolean; stopping: boolean }) {
    this.#paused = paused;
    this.#stopping = stopping;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Installs the handlers. Signals that came before are heard at once, so `onChange` must be able to. */
  listen(onChange: (change: Change) => void): void {
    const pause = () => {
      this.#paused = true;
      onChange('pause');
    };
    const unpause = () => {
      this.#paused = false;
      onChange('unpause');
    };
    const stop = () => {
      this.#stopping = true;
      onChange('stop');
    };
    setHandler(pauseSignal, pause, { description: 'Finish the iteration in hand, then wait for unpause.' });
    setHandler(unpauseSignal, unpause, { description: 'Go on after a pause.' });
    setHandler(stopSignal, stop, { description: 'Finish and commit the iteration in hand, then end the run.' });
  }

  /** Resolves when the run may go on; at once when it is stopping. */
  clearance(): Promise<void> {
    return condition(() => !this.#paused || this.#stopping);
  }

  /** The workflow itself has found that it is to stop. */
  stop(): void {
    this.#stopping = true;
  }
}
