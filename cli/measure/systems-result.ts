/** `eval systems`: the registry of systems under comparison, for the reader. */
import { systems } from '../../shared/systems/registry.ts';
import type { CommandResult } from '../command.ts';
import type { Paint } from '../view/paint.ts';

const how = {
  fixed: 'a fixed script: eval --system NAME',
  designed: 'designs of the policy: eval --system NAME',
  searched: 'scripts are searched for first: eval --system NAME',
  trained: 'a training: train --system NAME, then eval',
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
          `${paint.bold(name)}  ${summary} (${how[kind]})`,
          ...(paper === null ? [] : [`  paper     ${paper}`]),
          ...departures.map((departure) => `  departs   ${departure}`),
        ].join('\n'),
      )
      .join('\n'),
  };
}
