/**
 * A question as a tree: its designs, their executions, the calls of the one that is open; beside it what stands at the
 * open node. Each node is a page of its own, so it can be linked to.
 */
import type { RunDocument } from '../../../activities/store/documents.ts';
import { rolloutId } from '../../../shared/domain/ids.ts';
import type { Question } from '../../../shared/domain/question.ts';
import { clip, counted, signed } from '../../view/numbers.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import type { DesignBranch, ExecutionBranch, QuestionData, QuestionTarget } from '../read/question-data.ts';
import { callBlock, callPanel } from './call-panel.ts';
import { designPanel, designSummary } from './design-panel.ts';
import { executionPanel } from './execution-panel.ts';
import { pageHref } from './layout.ts';
import type { Page } from './layout.ts';
import { creditWords, facts, rewardMark, rewardStep, textBlock } from './parts.ts';

export function questionPage(run: RunDocument, target: QuestionTarget, data: QuestionData, open: boolean): Page {
  const path = pathOf(target);
  const beside = (step: 1 | -1) => siblingOf(run, target, data, step);
  return {
    title: path,
    path,
    workflowId: target.batch.kind === 'iteration' ? target.rollout : target.batchId,
    ...(open ? { live: target.batchId } : {}),
    previous: beside(-1),
    next: beside(1),
    body: html`<h1 class="small">${headline(target)}</h1>
${questionBlock(data.question, target)}
<div class="split">
<section id="tree" aria-label="designs and executions">${tree(target, data)}</section>
<section id="node" aria-label="the open node">${panel(run, target, data)}</section>
</div>`,
  };
}

/** Characters of a name in the tree. */
const labelShown = 40;

export const pathOf = (target: QuestionTarget): string =>
  'call' in target
    ? target.call
    : 'execution' in target
      ? target.execution
      : 'design' in target
        ? target.design
        : target.rollout;

const lastNumber = (id: string) => Number(/(\d+)$/.exec(id)![1]);

function headline(target: QuestionTarget): string {
  const parts = [`Question ${target.slot}`];
  if ('design' in target) parts.push(`design ${lastNumber(target.design)}`);
  if ('execution' in target) parts.push(`execution ${lastNumber(target.execution)}`);
  if ('call' in target) parts.push(`call ${lastNumber(target.call)}`);
  return parts.join(' · ');
}

function questionBlock(question: Question | null, target: QuestionTarget): Html {
  if (question === null) return html`<p class="none">the question is not in the store</p>`;
  const { verifier, text, kind, difficulty } = question;
  const gold =
    verifier.type === 'math'
      ? verifier.gold
      : verifier.type === 'code'
        ? `code, ${counted(verifier.tests.length, 'test')}`
        : null;
  return html`<section id="question">${textBlock(text, `/text/question/${target.rollout}`, 1_500)}${facts([
    ['gold answer', gold === null ? null : clip(gold, 300)],
    ['kind', kind === null ? null : clip(kind, 80)],
    ['difficulty', difficulty],
  ])}</section>`;
}

function tree(target: QuestionTarget, { designs, calls }: QuestionData): Html {
  return html`<ol class="tree">${designs.map(
    (branch) =>
      html`<li>${designLine(branch, target)}<ol>${branch.executions.map(
        (each) =>
          html`<li>${executionLine(each, target)}${
            'execution' in target &&
            target.execution === each.execution._id &&
            html`<ol>${calls.map(
              ({ _id, call, agentName, answer }) =>
                html`<li><a href="${pageHref(_id)}"${current('call' in target && target.call === _id)}>c-${call} ${clip(agentName, labelShown)}</a>${answer.status !== 'ok' && html` <span class="bad">${answer.status}</span>`}</li>`,
            )}</ol>`
          }</li>`,
      )}</ol></li>`,
  )}</ol>`;
}

const current = (here: boolean) => here && html` aria-current="true"`;

function designLine({ design, credit }: DesignBranch, target: QuestionTarget): Html {
  const here = target.level === 'design' && target.design === design._id;
  const what = design.outcome === 'valid' ? (design.structure?.pattern ?? 'plain') : design.outcome;
  return html`<a href="${pageHref(design._id)}"${current(here)} title="${creditWords(credit?.reward ?? null, credit?.advantage ?? null)}">d-${design.design} <span class="${design.outcome === 'valid' ? 'kind' : 'bad'}">${clip(what, labelShown)}</span></a> <span class="advantage">${signed(credit?.advantage, 2)}</span>`;
}

function executionLine({ execution, verdict, credit }: ExecutionBranch, target: QuestionTarget): Html {
  const here = target.level === 'execution' && target.execution === execution._id;
  const reward = verdict?.reward ?? null;
  return html`<span class="cell ${rewardStep(reward)}">${rewardMark(reward)}</span> <a href="${pageHref(execution._id)}"${current(here)} title="${execution.outcome}; ${creditWords(reward, credit?.advantage ?? null)}">e-${execution.execution} ${clip(execution.reply?.answer ?? execution.outcome, labelShown)}</a> <span class="advantage">${signed(credit?.advantage, 2)}</span>`;
}

function panel(run: RunDocument, target: QuestionTarget, data: QuestionData): Html {
  const branch = 'design' in target ? data.designs.find(({ design }) => design._id === target.design)! : null;
  if (branch === null) return html`${data.designs.map(designSummary)}`;
  if (!('execution' in target)) return designPanel(run, branch, data.question);
  if ('call' in target) return callPanel(data.calls.find(({ _id }) => _id === target.call)!);
  const execution = branch.executions.find(({ execution: each }) => each._id === target.execution) ?? null;
  return html`${executionPanel(target.execution, execution, data.calls)}<h2>Calls</h2>${
    data.calls.length === 0
      ? html`<p class="none">this execution asked no model</p>`
      : data.calls.map((call) => callBlock(call))
  }`;
}

/** The node of the same level before or after this one: in its parent, or for a question in its batch. */
function siblingOf(run: RunDocument, target: QuestionTarget, data: QuestionData, step: 1 | -1): string | null {
  const within = (ids: readonly string[], id: string) => {
    const found = ids[ids.indexOf(id) + step];
    return found === undefined || ids.indexOf(id) < 0 ? null : pageHref(found);
  };
  const executions = data.designs.flatMap((branch) => branch.executions.map(({ execution }) => execution._id));
  if ('call' in target)
    return within(
      data.calls.map(({ _id }) => _id),
      target.call,
    );
  if ('execution' in target) return within(executions, target.execution);
  if ('design' in target)
    return within(
      data.designs.map(({ design }) => design._id),
      target.design,
    );
  const slots =
    target.batch.kind === 'iteration' ? run.plan.rollout.questionsPerIteration : run.plan.evaluation.questions;
  const wanted = target.slot + step;
  return wanted < 0 || wanted >= slots ? null : pageHref(rolloutId(target.batchId, wanted));
}
