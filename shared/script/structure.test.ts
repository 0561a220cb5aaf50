import { describe, expect, it } from 'vitest';
import { checkScript } from './check.ts';
import { renderStructureMermaid, renderStructureText, renderTraceMermaid, renderTraceText } from './render.ts';
import type { StructureTrace } from './trace.ts';

const textOf = (script: string) => renderStructureText(checkScript(script).structure!).split('\n');

describe('the structure that a text shows', () => {
  it('knows parts, roles, data flow and the bounds of loops', () => {
    const script = `const plan = agent({ name: 'plan' });
const team = debate([plan, 'second'], 3);
return sequence([team, reflect({ agent: 'third', critic: agent('critic') })])`;
    expect(textOf(script)).toEqual([
      'sequence (n4, line 3)',
      '  steps: debate (rounds 3) (n2, line 2)',
      '    debaters: agent plan (n1, line 1)',
      "    debaters: agent 'second' (n3, line 2)",
      '  steps: reflect (n5, line 3)',
      "    agent: agent 'third' (n6, line 3)",
      "    critic: agent 'critic' (n7, line 3)",
      'n6 -> n7: draft',
      'n7 -> n6: review',
      'n2 -> n5: next',
      'n4 -> result',
      'loop at line 2: debate, at most 3 turns',
      'loop at line 3: reflect, at most 2 turns',
    ]);
  });

  it('follows names, branches, loops and `run`', () => {
    const script = `let best = await agent('draft');
for (let i = 0; i < 3; i += 1) {
  if (best.answer !== null) return best;
  best = await agent('again').run(best);
}
return ensemble({ members: [best, 'other'], judge: 'judge' })`;
    expect(textOf(script)).toEqual([
      'ensemble (n3, line 6)',
      "  members: agent 'draft' (n1, line 1)",
      "  members: agent 'again' (n2, line 4) [repeated]",
      "  members: agent 'other' (n4, line 6)",
      "  judge: agent 'judge' (n5, line 6)",
      'n1 -> result',
      'n1 -> n2: input',
      'n1 -> n5: judged by',
      'n2 -> n5: judged by',
      'n4 -> n5: judged by',
      'n3 -> result',
      'loop at line 2: for, bound not in the text',
    ]);
  });

  it('draws Mermaid whose labels cannot end early', () => {
    const script = `return ensemble(['say "end"]', agent({ name: '<b>\`x' })])`;
    expect(renderStructureMermaid(checkScript(script).structure!)).toBe(`flowchart TD
  subgraph n1["ensemble"]
    n2("agent 'say #quot;end#quot;]'")
    n3("agent #lt;b#gt;'x")
  end
  result((result))
  n1 --> result`);
  });
});

describe('an execution as it ran', () => {
  const trace: StructureTrace = {
    nodes: [
      { nodePath: 'agent-1', kind: 'agent', name: 'plan', status: 'ok', detail: null },
      { nodePath: 'debate-1/round-1/debater-1', kind: 'agent', name: 'a', status: 'failed', detail: null },
      { nodePath: 'debate-1', kind: 'debate', name: 'debate1', status: 'ok', detail: { rounds: 1 } },
    ],
    calls: [
      { call: 0, kind: 'model', nodePath: 'agent-1', agentName: 'plan', from: [], status: 'ok' },
      {
        call: 1,
        kind: 'model',
        nodePath: 'debate-1/round-1/debater-1',
        agentName: 'a',
        from: ['agent-1'],
        status: 'failed',
      },
      { call: 2, kind: 'tool', nodePath: 'debate-1/round-1/debater-1', agentName: 'a', from: [], status: 'ok' },
    ],
  };

  it('as text', () => {
    expect(renderTraceText(trace).split('\n')).toEqual([
      'agent-1 · plan · 1 call',
      'debate-1 · debate debate1 {"rounds":1}',
      '  round-1',
      '    debater-1 · a · failed · 2 calls',
    ]);
  });

  it('as Mermaid, with an arrow where a reply was shown', () => {
    expect(renderTraceMermaid(trace)).toBe(`flowchart TD
  t1("agent-1 · plan · 1 call")
  subgraph t2["debate-1 · debate debate1"]
    subgraph t3["round-1"]
      t4("debater-1 · a · failed · 2 calls")
    end
  end
  t1 --> t4`);
  });
});
