/**
 * Histories of earlier executions, replayed with the workflows of today: a change that would break a run under way fails
 * here. They are recorded by tests/workflows/run-shape.test.ts with METAAGENTX_RECORD_HISTORIES=1; add to them with each
 * released change of a workflow, and remove none that may still be running somewhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { workflowBundle } from '../../workers/bundle.ts';

const folder = new URL('histories/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const { History } = temporal.api.history.v1;

interface Recorded {
  workflowId: string;
  /** The server's own encoding (protobuf). */
  history: temporal.api.history.v1.History;
}

function read(name: string): Recorded {
  const { workflowId, history } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, string>;
  return { workflowId: workflowId!, history: History.decode(Buffer.from(history!, 'base64')) };
}

const replay = async ({ workflowId, history }: Recorded) =>
  Worker.runReplayHistory({ workflowBundle: await workflowBundle(inject('stateDir')) }, history, workflowId);

describe('recorded histories', () => {
  it('are of every level of a run', () => {
    const types = names.map((name) => name.replace(/\..*/, ''));
    expect([...new Set(types)].sort()).toEqual([
      'coEvolutionStage',
      'evaluation',
      'hierarchicalRollout',
      'trainingIteration',
      'trainingRun',
    ]);
  });

  it.each(names)('%s replays', async (name) => {
    await replay(read(name));
  });

  it('one with a step that the workflow does not take is refused', async () => {
    const altered = read(names.find((name) => name.startsWith('hierarchicalRollout'))!);
    const scheduled = altered.history.events.find(({ activityTaskScheduledEventAttributes: each }) => each != null);
    scheduled!.activityTaskScheduledEventAttributes!.activityType!.name = 'guessDesigns';
    await expect(replay(altered)).rejects.toThrow(/determinis/i);
  });
});
