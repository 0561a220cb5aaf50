/**
 * The journal of one execution: calls are numbered without a gap, those that the script saw are all there, and what the
 * finishing attempt asked again was in nobody's journal.
 */
import type { StructureTrace } from '../shared/script/trace.ts';
import type { Findings } from './report.ts';
import type { CallFacts, ExecutionFacts } from './tree.ts';

export function checkJournal(findings: Findings, execution: ExecutionFacts, calls: readonly CallFacts[]): void {
  const { _id: id, usage } = execution;
  const say = (problem: string) => findings.found('calls', id, problem);
  findings.saw('calls', calls.length);
  const byNumber = new Map(calls.map((call) => [call.call, call]));
  if (byNumber.size !== calls.length) say('has two journal entries for one call');
  const trace = execution.trace as StructureTrace;
  const seen = trace.calls.filter(({ status }) => status !== null);
  for (const { call, kind, nodePath } of seen) {
    const stored = byNumber.get(call);
    if (stored === undefined) say(`saw the answer of call ${call}, which is not in the journal`);
    else if (stored.kind !== kind || stored.nodePath !== nodePath) say(`call ${call} is another one in the journal`);
  }
  const asked = new Set(trace.calls.map(({ call }) => call));
  for (const number of byNumber.keys())
    if (!asked.has(number)) say(`never asked call ${number}, which is in the journal`);
  const used = seen.map(({ call }) => byNumber.get(call)).filter((call) => call !== undefined);
  const sum = (pick: (call: CallFacts) => number) => used.reduce((total, call) => total + pick(call), 0);
  const counted = {
    calls: sum(({ kind }) => (kind === 'model' ? 1 : 0)),
    toolCalls: sum(({ kind }) => (kind === 'tool' ? 1 : 0)),
    promptTokens: sum((call) => call.promptTokens),
    responseTokens: sum((call) => call.responseTokens),
  };
  for (const [name, value] of Object.entries(counted)) {
    const told = usage[name as keyof typeof counted];
    if (told !== value) say(`counts ${told} ${name}: its journal has ${value}`);
  }
  const performed = seen.length - execution.replayedCalls;
  // An attempt that set a journal aside and started afresh marks what it then journals.
  const own = calls.filter(({ attempt }) => attempt.replace(/\+afresh$/, '') === execution.attempt).length;
  if (performed > own)
    say(`asked ${performed} calls in its last attempt, which journaled ${own}: finished calls were repeated`);
}
