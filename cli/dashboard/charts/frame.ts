/** What all charts over iterations share: size, scales, grid, axis labels, bands of stages. Pure; no DOM. */
import { scaleLinear } from 'd3-scale';
import type { ScaleLinear } from 'd3-scale';
import { html } from '../html.ts';
import type { Html } from '../html.ts';

/** The iterations of one stage: places `from` to `to` on the x axis, from 1. */
export interface StageBand {
  stage: number;
  learner: string;
  from: number;
  to: number;
}

export const size = { width: 400, height: 190, left: 42, right: 10, top: 22, bottom: 24 } as const;

export interface Frame {
  x: ScaleLinear<number, number>;
  y: ScaleLinear<number, number>;
  /** Bands, grid and labels: what stands behind the data. */
  back: Html;
}

const round = (value: number) => Math.round(value * 10) / 10;

/** `count` places on the x axis (place 0 stands before the first iteration); `low` and `high` bound the values. */
export function makeFrame(count: number, low: number, high: number, bands: readonly StageBand[]): Frame {
  const { width, height, left, right, top, bottom } = size;
  const x = scaleLinear([0, Math.max(1, count)], [left, width - right]);
  const y = scaleLinear(low === high ? [low, low + 1] : [low, high], [height - bottom, top]).nice(4);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const format = y.tickFormat(4, largest >= 10 ? '~s' : largest < 0.001 ? '~e' : '~g');
  const shades = bands.map(({ stage, learner, from, to }) => {
    const [start, end] = [round(x(from - 1)), round(x(to))];
    return html`<rect class="band ${learner}" x="${start}" y="${top}" width="${round(end - start)}" height="${height - bottom - top}"/>
      <text class="band-name" x="${start + 3}" y="${top - 5}">${end - start > 60 ? `${stage} ${learner}` : end - start > 12 ? stage : ''}</text>`;
  });
  const lines = y.ticks(4).map((tick) => {
    const at = round(y(tick));
    return html`<path class="grid" d="M${left},${at}H${width - right}"/><text class="tick" x="${left - 5}" y="${at + 3.5}" text-anchor="end">${format(tick)}</text>`;
  });
  const places = x.ticks(5).filter(Number.isInteger);
  const labels = places.map(
    (place) =>
      html`<text class="tick" x="${round(x(place))}" y="${height - bottom + 15}" text-anchor="middle">${place}</text>`,
  );
  return { x, y, back: html`${shades}${lines}${labels}` };
}
