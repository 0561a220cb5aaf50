/** Numbers, times and versions as people read them. */
import { policyVersionName } from '../../shared/domain/ids.ts';

/** 0.4567 → `45.7 %`; null → `–`. */
export const percent = (share: number | null | undefined) =>
  share == null || Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`;

export const fixed = (value: number | null | undefined, digits = 3) => (value == null ? '–' : value.toFixed(digits));

/** With sign: rewards against their baseline. */
export const signed = (value: number | null | undefined, digits = 3) =>
  value == null ? '–' : `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;

/** 1234567 → `1.23M`. */
export function compact(value: number): string {
  if (value < 1000) return String(Math.round(value));
  const [divisor, unit] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${(value / divisor).toPrecision(3)}${unit}`;
}

/** 3725000 → `1 h 02 m`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`;
}

/** Local time to the minute. */
export function moment(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const version = (value: number | null | undefined) => (value == null ? '–' : policyVersionName(value));

/** `1 question`, `3 questions`. */
export const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** One line of at most `width` characters. */
export function clip(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
