/** Times, durations, sizes and counts as words with units. One locale, so that sentences and dates do not mix languages. */

const locale = 'en-GB';
export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
const yearMs = 365 * dayMs;

const clockFormat = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const weekdayFormat = new Intl.DateTimeFormat(locale, { weekday: 'long' });
const dateFormat = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dateYearFormat = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const exactFormat = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const countOf = (count: number, one: string, many: string): string => `${count.toLocaleString(locale)} ${count === 1 ? one : many}`;

function dayStart(timeMs: number): number {
  const date = new Date(timeMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** Whole calendar days between two moments in local time; rounding absorbs the days of 23 and 25 hours. */
export const calendarDaysBetween = (earlierMs: number, laterMs: number): number => Math.round((dayStart(laterMs) - dayStart(earlierMs)) / dayMs);

/** "14:05" */
export const clockWords = (timeMs: number): string => clockFormat.format(timeMs);

/** The full moment, for tooltips. */
export const exactWords = (timeMs: number): string => exactFormat.format(timeMs);

function dateWords(timeMs: number, nowMs: number): string {
  return (Math.abs(timeMs - nowMs) > yearMs / 2 ? dateYearFormat : dateFormat).format(timeMs);
}

/** A moment inside a sentence: "today 14:05", "yesterday 09:10", "12 Dec, 14:05". */
export function momentWords(timeMs: number, nowMs: number): string {
  const days = calendarDaysBetween(nowMs, timeMs);
  if (days === 0) return `today ${clockWords(timeMs)}`;
  if (days === 1) return `tomorrow ${clockWords(timeMs)}`;
  if (days === -1) return `yesterday ${clockWords(timeMs)}`;
  return `${dateWords(timeMs, nowMs)}, ${clockWords(timeMs)}`;
}

/** The line between two days of a conversation. */
export function dayWords(timeMs: number, nowMs: number): string {
  const days = calendarDaysBetween(timeMs, nowMs);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return weekdayFormat.format(timeMs);
  return dateWords(timeMs, nowMs);
}

/** The short stamp of a list row: the clock today, then the day, then the date. */
export function stampWords(timeMs: number, nowMs: number): string {
  const days = calendarDaysBetween(timeMs, nowMs);
  if (days <= 0) return clockWords(timeMs);
  return dayWords(timeMs, nowMs);
}

const steps: readonly (readonly [sizeMs: number, one: string, many: string])[] = [
  [dayMs, 'day', 'days'],
  [hourMs, 'hour', 'hours'],
  [minuteMs, 'minute', 'minutes'],
  [secondMs, 'second', 'seconds'],
];

/** What has passed, in full ones of its largest unit: "3 days", "45 seconds". What is still ahead: {@link remainingWords}. */
export function durationWords(spanMs: number): string {
  const size = Math.max(0, spanMs);
  for (const [stepMs, one, many] of steps) {
    if (size >= stepMs) return countOf(Math.floor(size / stepMs), one, many);
  }
  return 'a moment';
}

/**
 * What is left of a span, rounded to the nearest: "14 days" a minute after 14 days were set. A unit is only used from two of it on, or when it
 * is met exactly, since 36 hours are neither one day nor two. Never more than `setMs`, the whole span that was set: 60 hours begin as "2 days".
 */
export function remainingWords(spanMs: number, setMs = Number.POSITIVE_INFINITY): string {
  const size = Math.max(0, spanMs);
  for (const [index, [stepMs, one, many]] of steps.entries()) {
    // What the next smaller unit rounds away; a span that was set may be off by as much.
    const slackMs = (steps[index + 1]?.[0] ?? 0) / 2;
    const nearest = Math.round(size / stepMs);
    const count = nearest * stepMs > setMs + slackMs ? nearest - 1 : nearest;
    const isOneExactly = Math.abs(size - stepMs) <= slackMs;
    if (count >= 1 && (size >= 2 * stepMs - slackMs || isOneExactly)) return countOf(count, one, many);
    if (stepMs === secondMs && count === 1) return countOf(count, one, many);
  }
  return 'a moment';
}

/** "just now", "3 minutes ago", "in 2 hours"; `setMs` is the whole span when the moment ahead is the end of one. */
export function relativeWords(timeMs: number, nowMs: number, setMs?: number): string {
  const spanMs = timeMs - nowMs;
  if (Math.abs(spanMs) < 10 * secondMs) return spanMs > 0 ? 'in a moment' : 'just now';
  return spanMs > 0 ? `in ${remainingWords(spanMs, setMs)}` : `${durationWords(-spanMs)} ago`;
}

/** A clock that runs down: "now", "0:42", "12:05", "2 h 05 min". */
export function countdownWords(timeMs: number, nowMs: number): string {
  const seconds = Math.ceil((timeMs - nowMs) / secondMs);
  if (seconds <= 0) return 'now';
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
  return `${String(Math.floor(seconds / 3600))} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
}

const sizeUnits = ['kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units: "412 bytes", "1.2 kB", "36 MB". */
export function sizeWords(sizeBytes: number): string {
  if (sizeBytes < 1_000) return countOf(sizeBytes, 'byte', 'bytes');
  let size = sizeBytes / 1_000;
  let unit: string = sizeUnits[0];
  for (const next of sizeUnits.slice(1)) {
    if (size < 999.5) break;
    size /= 1_000;
    unit = next;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size).toLocaleString(locale)} ${unit}`;
}

/** "0.8 ms", "42 ms", "1.3 s" */
export function roundTripWords(roundTripMs: number): string {
  if (roundTripMs >= 1_000) return `${(roundTripMs / 1_000).toFixed(1)} s`;
  return roundTripMs < 1 ? `${roundTripMs.toFixed(1)} ms` : `${String(Math.round(roundTripMs))} ms`;
}
