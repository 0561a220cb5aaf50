/** Pieces that several pages use: facts, tables, texts of models, marks of reward and status. */
import { fixed, signed } from '../../view/numbers.ts';
import { html } from '../html.ts';
import type { Html, Part } from '../html.ts';

/** Name and value pairs; those without a value are left out. */
export function facts(rows: readonly (readonly [string, Part])[]): Html {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export interface Column {
  title: string;
  number?: boolean;
}

/** A table that scrolls by itself where the screen is narrow. */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly Part[])[]): Html {
  const kind = (index: number) => columns[index]?.number === true && html` class="number"`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<thead><tr>${columns.map(({ title }, index) => html`<th scope="col"${kind(index)}>${title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, index) => html`<td${kind(index)}>${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}

export const status = (word: string): Html =>
  html`<span class="status ${/^[a-z-]+$/.test(word) ? word : 'other'}">${word}</span>`;

const steps = 9;

/** Style of a reward between 0 and 1; what lies outside is shown as the end it passed. */
export const rewardStep = (reward: number | null): string =>
  reward === null ? 'open' : `r${Math.round(Math.min(1, Math.max(0, reward)) * steps)}`;

/** At most four characters, so that colour is not the only sign. */
export const rewardMark = (reward: number | null): string =>
  reward === null ? '·' : String(Number(reward.toFixed(2))).replace(/^(-?)0\./, '$1.');

export const creditWords = (reward: number | null, advantage: number | null): string =>
  `reward ${fixed(reward)}, advantage ${signed(advantage)}`;

/** Texts longer than this are cut, with a link to the whole. */
const charactersShown = 6_000;

/** Texts longer than this may scroll by themselves, so keys must reach them. */
const charactersAtRest = 800;
export const textBox = (text: string): Html =>
  html`<pre class="text"${text.length > charactersAtRest && html` tabindex="0"`}>${text}</pre>`;

/** What a model or a person wrote, as it is. `wholeHref`: where all of it stands as plain text. */
export function textBlock(text: string, wholeHref: string, limit = charactersShown): Html {
  if (text === '') return html`<p class="none">empty</p>`;
  if (text.length <= limit) return textBox(text);
  return html`${textBox(text.slice(0, limit))}<p class="none">… ${text.length - limit} more characters: <a href="${wholeHref}">the whole text</a></p>`;
}
