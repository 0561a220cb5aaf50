/** `eval systems`: the registry of systems under comparison, for the reader. */
import { systems } from '../../shared/systems/registry.ts';
import type { CommandResult } from '../command.ts';
import type { Paint } from '../view/paint.ts';

const how = {
  fixed: (name: string) => `a fixed script: eval RUN --system ${name}`,
  designed: (name: string) => `designs of the policy: eval RUN --system ${name}`,
  searched: (name: string) => `scripts are searched for first: eval RUN --system ${name}`,
  trained: (name: string) => `a training: train --recipe toy --system ${name}, then eval`,
} as const;

export function systemsResult(paint: Paint): CommandResult {
  return {
    data: {
      systems: systems.map(({ name, kind, summary, paper, departures }) => ({
        name,
        kind,
        summary,
        paper,
        departures,
      })),
    },
    text: systems
      .map(({ name, kind, summary, paper, departures }) =>
        [
          `${paint.bold(name)}  ${summary} (${how[kind](name)})`,
          ...(paper === null ? [] : [`  paper     ${paper}`]),
          ...departures.map((departure) => `  departs   ${departure}`),
        ].join('\n'),
      )
      .join('\n'),
  };
}
