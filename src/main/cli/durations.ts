/** Times as people type them: `30s`, `5m`, `12h`, `7d` to live, plain seconds to wait. */
import { WaypostError } from '../../shared/errors.ts';
import { ttlMaximumSeconds, ttlMinimumSeconds } from '../../shared/views.ts';

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const pattern = /^(\d{1,9})([smhd])$/;

const isUnit = (text: string): text is keyof typeof unitSeconds => Object.hasOwn(unitSeconds, text);

/** Seconds. @throws WaypostError `invalid-argument` for another form, `ttl-out-of-range` below a minute and above 30 days. */
export function parseTtl(text: string): number {
  const match = pattern.exec(text.trim());
  const unit = match?.[2] ?? '';
  if (match === null || !isUnit(unit)) throw new WaypostError('invalid-argument', `"${text.slice(0, 32)}" is not a time. Write a number and a unit, such as 5m, 12h or 7d.`);
  const seconds = Number(match[1]) * unitSeconds[unit];
  if (seconds < ttlMinimumSeconds || seconds > ttlMaximumSeconds) {
    throw new WaypostError('ttl-out-of-range', 'A message can wait between 1 minute and 30 days. Choose a time within that.');
  }
  return seconds;
}

/** Milliseconds of a number of seconds; undefined of nothing. @throws WaypostError `invalid-argument` */
export function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new WaypostError('invalid-argument', '--timeout takes a number of seconds.');
  return seconds * 1_000;
}
