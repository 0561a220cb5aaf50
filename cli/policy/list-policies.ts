/** `policy list`: imported policies, and what versions runs have. */
import type { PolicyDocument } from '../../activities/store/documents.ts';
import { parameterCount } from '../../shared/model/parameters.ts';
import type { Cli, CommandResult } from '../command.ts';
import { withSession } from '../session.ts';
import { compact, moment, version } from '../view/numbers.ts';
import { renderTable } from '../view/table.ts';

interface Lineage {
  name: string;
  origin: 'import' | 'run';
  versions: number;
  newest: number;
  /** Versions whose weights are there. */
  withWeights: number;
  architecture: string;
  parameters: number;
  createdAt: Date;
}

export async function listPolicies(cli: Cli): Promise<CommandResult> {
  return withSession(cli, { stack: 'started', workers: 'none' }, async ({ store }) => {
    const projection = { runId: 1, version: 1, madeBy: 1, decoder: 1, pruned: 1, createdAt: 1 };
    const { sound, refused } = await store.policies.findSound({}, { projection, sort: { version: 1 } });
    const lineages = lineagesOf(sound);
    refused.forEach((why) => cli.log(why));
    if (lineages.length === 0) {
      return { data: { policies: [] }, text: 'no policies yet. Import one with: npx metaagentx policy import DIR' };
    }
    const titles = ['policy', 'origin', 'newest', 'with weights', 'model', 'parameters', 'changed'];
    const rows = lineages.map((lineage) => [
      lineage.name,
      lineage.origin,
      version(lineage.newest),
      `${lineage.withWeights} of ${lineage.versions}`,
      lineage.architecture,
      compact(lineage.parameters),
      moment(lineage.createdAt),
    ]);
    const lines = renderTable(
      titles.map((title) => ({ title })),
      rows,
    );
    return {
      data: { policies: lineages },
      text: [...lines, '', `look at one: npx metaagentx policy show ${lineages[0]!.name}@latest`].join('\n'),
    };
  });
}

function lineagesOf(policies: readonly PolicyDocument[]): Lineage[] {
  const byName = new Map<string, Lineage>();
  for (const { runId, version: number, madeBy, decoder, pruned, createdAt } of policies) {
    const before = byName.get(runId);
    byName.set(runId, {
      name: runId,
      origin: madeBy === 'import' ? 'import' : 'run',
      versions: (before?.versions ?? 0) + 1,
      newest: number,
      withWeights: (before?.withWeights ?? 0) + (pruned?.weights === true ? 0 : 1),
      architecture: decoder.architecture,
      parameters: parameterCount(decoder),
      createdAt,
    });
  }
  return [...byName.values()].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}
