import { describe, expect, it } from 'vitest';
import { bundleOf, device, recordOf } from '../mail/mailbox-testing.ts';
import { longRecordOf } from './directory-testing.ts';
import { KnownRecords } from './known-records.ts';
import type { FoundRecords } from './found-records.ts';

const bob = device(2);
const sequence = 1_800_000_000;
const now = { monotonicMs: 1_000, wallMs: sequence * 1_000 };
const found = (at: number): FoundRecords => ({ record: recordOf([bob], at), bundle: bundleOf(bob, at) });
const keyOf = (number: number): string => `02${number.toString(16).padStart(64, '0')}`;

describe('what peers said', () => {
  it('is never replaced by what is older', () => {
    const known = new KnownRecords();
    known.keep(keyOf(1), found(sequence), now);
    known.keep(keyOf(1), found(sequence - 1), now);
    expect(known.get(keyOf(1), now)?.record.sequence).toBe(sequence);
  });

  it('ends with the record', () => {
    const known = new KnownRecords();
    known.keep(keyOf(1), { record: longRecordOf(bob, sequence - 86_300, []), bundle: undefined }, now);
    expect(known.get(keyOf(1), { monotonicMs: 1_000 + 99_000, wallMs: now.wallMs + 99_000 })).toBeDefined();
    expect(known.get(keyOf(1), { monotonicMs: 1_000 + 100_000, wallMs: now.wallMs + 100_000 })).toBeUndefined();
    expect([known.count, known.sizeBytes]).toEqual([0, 0]);
  });

  it('takes a bounded number and bounded room, and keeps what is in use', () => {
    const known = new KnownRecords();
    const one = found(sequence);
    const relays = [1, 2, 3].map((number) => ({ publicKey: keyOf(number), host: `${'a'.repeat(60)}.b${String(number)}`, port: 1 }));
    const long: FoundRecords = { record: longRecordOf(bob, sequence, relays), bundle: one.bundle };
    for (let number = 1; number <= 5_000; number += 1) {
      known.keep(keyOf(number), number % 2 === 0 ? one : long, now);
      known.keepAbsent(keyOf(number + 10_000), 60_000, now);
      expect(known.get(keyOf(1), now)).toBeDefined();
    }
    expect(known.count).toBeLessThanOrEqual(1_024);
    expect(known.sizeBytes).toBeLessThanOrEqual(1_048_576);
    expect(known.absentCount).toBe(4_096);
    expect([known.get(keyOf(2), now), known.absentMs(keyOf(10_001), now), known.absentMs(keyOf(15_000), now)]).toEqual([undefined, undefined, 60_000]);
  });
});
