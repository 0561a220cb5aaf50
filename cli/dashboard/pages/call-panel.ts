/** A model call or tool call: what was asked, what came back, with which settings. */
import type { CallDocument } from '../../../activities/store/documents.ts';
import { clip } from '../../view/numbers.ts';
import { html } from '../html.ts';
import type { Html } from '../html.ts';
import { pageHref } from './layout.ts';
import { facts, textBlock } from './parts.ts';

/** One call among the others of its execution. */
export function callBlock(call: CallDocument): Html {
  const { _id, agentName, agentPart, nodePath, answer } = call;
  const part = agentPart === null || agentPart === 'agent' ? '' : ` as ${agentPart}`;
  const tokens = answer.responseTokens === 0 ? '' : `, ${answer.promptTokens} → ${answer.responseTokens} tokens`;
  return html`<article class="call" id="c-${call.call}"><h3><a href="${pageHref(_id)}">c-${call.call}</a> ${clip(agentName, 80)}${part} <span class="note">${clip(nodePath, 120)}, v${call.policyVersion ?? '–'}${tokens}</span>${
    answer.status !== 'ok' && html` <span class="bad">${answer.status}</span>`
  }</h3>${exchange(call, 1_500)}</article>`;
}

function exchange({ _id, messages, tool, answer }: CallDocument, limit: number): Html {
  const asked = messages?.map(({ role, content }) => message(role, content, _id, limit));
  return html`<div class="exchange">${asked}${tool !== undefined && message(`tool ${tool.name}`, tool.input, _id, limit)}${message('reply', answer.text, _id, limit)}</div>`;
}

const message = (role: string, text: string, id: string, limit: number): Html =>
  html`<div class="message${role === 'reply' && ' reply'}"><h4>${clip(role, 80)}</h4>${textBlock(text, `/text/call/${id}`, limit)}</div>`;

/** One call in full. */
export function callPanel(call: CallDocument): Html {
  const { sampling, seedKey, finishReason, answer, hash, part, policyVersion } = call;
  return html`${facts([
    ['agent', clip(`${call.agentName} (${call.nodePath})`, 300)],
    ['plays', call.agentPart],
    ['status', answer.status],
    ['answer', answer.answer === null ? null : clip(answer.answer, 300)],
    ['tokens', `${answer.promptTokens} → ${answer.responseTokens}`],
    ['ended by', finishReason],
    ['sampled by', policyVersion !== undefined && `v${policyVersion} (${part ?? 'shared'})`],
    [
      'settings',
      sampling !== undefined &&
        `temperature ${sampling.temperature}, top-p ${sampling.topP}, top-k ${sampling.topK}, at most ${sampling.maxTokens} tokens`,
    ],
    ['seed', seedKey !== undefined && html`<code>${seedKey}</code>`],
    ['hash', html`<code>${hash}</code>`],
  ])}${exchange(call, 60_000)}`;
}
