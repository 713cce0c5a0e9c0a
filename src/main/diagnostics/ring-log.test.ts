import { describe, expect, it } from 'vitest';
import { formatLogEntry, redactField, RingLog } from './ring-log.ts';

describe('the ring log', () => {
  it('keeps the newest 2,000 entries in order and counts the rest', () => {
    const log = new RingLog();
    for (let number = 0; number < 2_005; number += 1) log.write(number, 'info', 'step', { number });
    const entries = log.entries();
    expect(entries).toHaveLength(2_000);
    expect(entries[0]?.fields['number']).toBe(5);
    expect(entries.at(-1)?.fields['number']).toBe(2_004);
    expect(log.dropped).toBe(5);
  });

  it('shortens whatever looks like a key or an id', () => {
    expect(redactField(`peer ${'02'.repeat(33)} left`)).toBe('peer 02020202… left');
    expect(redactField('x'.repeat(500))).toHaveLength(200);
  });

  it('hands each entry to its listener as one readable line', () => {
    const lines: string[] = [];
    new RingLog((entry) => lines.push(formatLogEntry(entry))).write(0, 'warn', 'storage-failed', { code: 'disk-full' });
    expect(lines).toEqual(['1970-01-01T00:00:00.000Z warn storage-failed code=disk-full']);
  });
});
