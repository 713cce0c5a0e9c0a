import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from './codec-testing.ts';
import { decodeLanAnnouncement, encodeLanAnnouncement, lanAnnouncementType, lanEntriesMaximum, lanEntryCounts, lanKinds } from './lan-announcement.ts';

const zeros = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes);
const entry = fc.record({ tag: bytesOf(16), proof: bytesOf(8) });
const announcement = fc.record({ kind: fc.constantFrom(...lanKinds), port: fc.integer({ min: 1, max: 0xffff }), nonce: bytesOf(8), entries: fc.array(entry, { maxLength: lanEntriesMaximum }) });

describe('an announcement', () => {
  it('comes back as it was, with what it was filled up with behind', () => {
    fc.assert(fc.property(announcement, (one) => {
      const decoded = decodeLanAnnouncement(encodeLanAnnouncement(one, zeros));
      expect(decoded).toMatchObject({ kind: one.kind, port: one.port, nonce: one.nonce });
      expect(decoded?.entries.slice(0, one.entries.length)).toEqual(one.entries);
    }));
  });

  it('has one of four lengths, none above what a datagram may have, and does not show how many are named', () => {
    const lengths = new Set<number>();
    for (let count = 0; count <= lanEntriesMaximum; count += 1) {
      const entries = Array.from({ length: count }, () => ({ tag: zeros(16), proof: zeros(8) }));
      lengths.add(encodeLanAnnouncement({ kind: 'question', port: 1, nonce: zeros(8), entries }, zeros).length);
    }
    expect([...lengths]).toEqual(lanEntryCounts.map((count) => 13 + 24 * count));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1_200);
  });

  it('is refused in any other length, of any other type, version or kind, and without a port', () => {
    const good = encodeLanAnnouncement({ kind: 'answer', port: 7, nonce: zeros(8), entries: [] }, zeros);
    expect(decodeLanAnnouncement(good)?.kind).toBe('answer');
    for (let length = 0; length < good.length; length += 1) expect(decodeLanAnnouncement(good.slice(0, length))).toBeUndefined();
    for (const [at, value] of [[0, lanAnnouncementType + 1], [1, 2], [2, 0], [2, 4], [4, 0]] as const) expect(decodeLanAnnouncement(Uint8Array.from(good, (byte, index) => (index === at ? value : byte)))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1_300 }), (bytes) => {
      const decoded = decodeLanAnnouncement(bytes);
      expect(decoded === undefined || bytes[0] === lanAnnouncementType).toBe(true);
    }));
  });

  it('is not written for more than fit, or without a port', () => {
    const entries = Array.from({ length: lanEntriesMaximum + 1 }, () => ({ tag: zeros(16), proof: zeros(8) }));
    expect(() => encodeLanAnnouncement({ kind: 'question', port: 1, nonce: zeros(8), entries }, zeros)).toThrow(RangeError);
    expect(() => encodeLanAnnouncement({ kind: 'question', port: 0, nonce: zeros(8), entries: [] }, zeros)).toThrow(RangeError);
  });
});
