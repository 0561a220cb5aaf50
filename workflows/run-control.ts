/** Pause, unpause and stop as a workflow sees them. The caller forwards the signals to the child that is running. */
import { condition, setHandler } from '@temporalio/workflow';
import { pauseSignal, stopSignal, unpauseSignal } from './messages.ts';

export interface RunControl {
  readonly paused: boolean;
  readonly stopping: boolean;
  /** Resolves when the run may go on; at once when it is stopping. */
  clearance(): Promise<void>;
  /** The workflow itself has found that it is to stop. */
  stop(): void;
}

type Change = 'pause' | 'unpause' | 'stop';

/** Installs the handlers. `initial` restores the state after continue-as-new. */
export function installRunControl(
  onChange: (change: Change) => void,
  initial: { paused: boolean; stopping: boolean } = { paused: false, stopping: false },
): RunControl {
  let { paused, stopping } = initial;
  const pause = () => {
    paused = true;
    onChange('pause');
  };
  const unpause = () => {
    paused = false;
    onChange('unpause');
  };
  const stop = () => {
    stopping = true;
    onChange('stop');
  };
  setHandler(pauseSignal, pause, { description: 'Finish the iteration in hand, then wait for unpause.' });
  setHandler(unpauseSignal, unpause, { description: 'Go on after a pause.' });
  setHandler(stopSignal, stop, { description: 'Finish and commit the iteration in hand, then end the run.' });
  return {
    get paused() {
      return paused;
    },
    get stopping() {
      return stopping;
    },
    stop: () => void (stopping = true),
    clearance: () => condition(() => !paused || stopping),
  };
}
