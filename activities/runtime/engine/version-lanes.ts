/** One resident version and its lanes of generation: one for each kind of weights that calls have asked for. */
import type { Precision } from '../../../shared/model/interface.ts';
import type { EngineOptions } from './contract.ts';
import type { GenerationCounters } from './counters.ts';
import { Lane } from './lane.ts';
import type { Resident } from './resident.ts';

export class VersionLanes {
  readonly resident: Resident;
  private readonly options: EngineOptions;
  private readonly counters: GenerationCounters;
  private readonly open = new Map<Precision, Lane>();

  constructor(resident: Resident, options: EngineOptions, counters: GenerationCounters) {
    this.resident = resident;
    this.options = options;
    this.counters = counters;
  }

  lane(weights: Precision): Lane {
    let lane = this.open.get(weights);
    if (lane === undefined) {
      lane = new Lane(this.resident, this.resident.generation[weights], this.options, this.counters);
      this.open.set(weights, lane);
    }
    return lane;
  }

  get lanes(): Lane[] {
    return [...this.open.values()];
  }

  get idle(): boolean {
    return this.lanes.every((lane) => lane.idle);
  }

  async release(): Promise<void> {
    for (const sessions of Object.values(this.resident.generation)) await sessions.release();
  }
}
