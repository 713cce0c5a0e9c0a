import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockWords, countdownWords, dayMs, dayWords, durationWords, hourMs, minuteMs, momentWords, relativeWords, remainingWords, roundTripWords, sizeWords, stampWords } from './quantities.ts';

const noon = new Date(2026, 10, 18, 12, 0, 0).getTime();

describe('quantities', () => {
  it('writes sizes with their unit', () => {
    expect([0, 1, 412, 1_000, 1_250, 36_400, 999_600, 36_000_000].map(sizeWords)).toEqual(['0 bytes', '1 byte', '412 bytes', '1.0 kB', '1.3 kB', '36 kB', '1.0 MB', '36 MB']);
  });
  it('writes spans in their largest unit', () => {
    expect([500, 1_000, 59_000, 90_000, 3 * hourMs, 26 * hourMs, 3 * dayMs].map(durationWords)).toEqual(['a moment', '1 second', '59 seconds', '1 minute', '3 hours', '1 day', '3 days']);
  });
  it('says what is near in words of nearness', () => {
    expect(relativeWords(noon - 2_000, noon)).toBe('just now');
    expect(relativeWords(noon - 3 * minuteMs, noon)).toBe('3 minutes ago');
    expect(relativeWords(noon + 2 * hourMs, noon)).toBe('in 2 hours');
  });
  it('rounds what is left to the nearest, so that two weeks are two weeks right after they were set', () => {
    expect(remainingWords(14 * dayMs - minuteMs, 14 * dayMs)).toBe('14 days');
    expect(remainingWords(14 * dayMs - 400, 14 * dayMs - 900)).toBe('14 days');
    expect(relativeWords(noon + 14 * dayMs - 5_000, noon, 14 * dayMs)).toBe('in 14 days');
    expect([13.6 * dayMs, 2 * dayMs, 48 * hourMs - minuteMs, 36 * hourMs, dayMs, dayMs - minuteMs, 23 * hourMs, 90 * minuteMs, hourMs, 119_700, 61_000, 59_600, 45_000, 1_000, 300].map((span) => remainingWords(span)))
      .toEqual(['14 days', '2 days', '2 days', '36 hours', '1 day', '1 day', '23 hours', '90 minutes', '1 hour', '2 minutes', '61 seconds', '1 minute', '45 seconds', '1 second', 'a moment']);
  });
  it('never promises more than was set', () => {
    expect(remainingWords(60 * hourMs - 1_000, 60 * hourMs)).toBe('2 days');
    expect(remainingWords(60 * hourMs - 1_000)).toBe('2 days');
    expect(remainingWords(61 * hourMs, 61 * hourMs)).toBe('2 days');
    const unitMs: Readonly<Record<string, number>> = { day: dayMs, days: dayMs, hour: hourMs, hours: hourMs, minute: minuteMs, minutes: minuteMs, second: 1_000, seconds: 1_000, moment: 0 };
    const spans = fc.integer({ min: 0, max: 40 * dayMs });
    fc.assert(fc.property(spans, fc.integer({ min: 0, max: 40 * dayMs }), (setMs, passedMs) => {
      const leftMs = Math.max(0, setMs - passedMs);
      const words = remainingWords(leftMs, setMs);
      const [count = '', unit = ''] = words.split(' ');
      const saidMs = Number(count === 'a' ? 0 : count) * (unitMs[unit] ?? Number.NaN);
      // Half of the next smaller unit is below what a single unit can say.
      expect(saidMs).toBeLessThanOrEqual(setMs + (saidMs >= dayMs ? hourMs : saidMs >= hourMs ? minuteMs : 1_000) / 2);
      expect(Math.abs(saidMs - leftMs)).toBeLessThanOrEqual(Math.max(1_000, leftMs * 0.5));
    }));
  });
  it('counts down to now', () => {
    expect([42_000, 725_000, 7_500_000, 0, -5].map((span) => countdownWords(noon + span, noon))).toEqual(['0:42', '12:05', '2 h 05 min', 'now', 'now']);
  });
  it('names days by their distance in the calendar', () => {
    expect(dayWords(noon, noon)).toBe('Today');
    expect(dayWords(noon - dayMs, noon)).toBe('Yesterday');
    expect(dayWords(noon - 3 * dayMs, noon)).toBe('Sunday');
    expect(dayWords(noon - 20 * dayMs, noon)).toBe('29 Oct');
    expect(stampWords(noon - hourMs, noon)).toBe(clockWords(noon - hourMs));
    expect(momentWords(noon + dayMs, noon)).toBe('tomorrow 12:00');
    expect(momentWords(noon + 10 * dayMs, noon)).toBe('28 Nov, 12:00');
  });
  it('writes round trips with a unit that fits', () => {
    expect([0.42, 12.4, 999, 1_340].map(roundTripWords)).toEqual(['0.4 ms', '12 ms', '999 ms', '1.3 s']);
  });
  it('never shows a size of four digits or more below terabytes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e14 }), (size) => {
      expect(sizeWords(size)).toMatch(/^\d{1,3}(\.\d)? (bytes?|kB|MB|GB|TB)$/);
    }));
  });
});
