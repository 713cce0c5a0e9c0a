/**
 * Downloads at random: contents, links, liars, lost sessions, other paths, holds and resumptions in any order. As long as one honest source stays reachable each
 * ends complete, once, with the right bytes, and leaves nothing behind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise } from '../lockstep/testing.ts';
import { equalBytes } from '../wire/bytes.ts';
import { encodeNegative } from '../wire/frame.ts';
import { Fetch, Network, nameOf } from './downloads-testing.ts';
import type { Link } from './downloads-testing.ts';

const link = fc.record({
  delayMs: fc.integer({ min: 0, max: 120 }), jitterMs: fc.constantFrom(0, 0, 5, 60), loss: fc.constantFrom(0, 0, 0.02, 0.15), doubled: fc.constantFrom(0, 0.1),
  rateBytesPerMs: fc.constantFrom(50, 400, 3_000, 20_000), queueBytes: fc.constantFrom(30_000, 200_000), limitBytes: fc.constantFrom(1_200, 1_452, 65_507),
  carriesBytes: fc.constantFrom(1_452, 3_000, 9_000, 65_507, 65_507),
});
const liar = fc.constantFrom('honest', 'honest', 'bits', 'some bits', 'absent', 'busy', 'silent');
const event = fc.record({
  atMs: fc.integer({ min: 0, max: 3_000 }), session: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('lose', 'path', 'shrink', 'grow', 'hold', 'remove', 'forget', 'letter', 'outage', 'resume'),
});
const sizes = fc.oneof(fc.integer({ min: 0, max: 8 }).map((leaves) => leaves * 1_024), fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 60_000, max: 1_200_000 }));

function tamperOf(kind: string): Link['tamper'] {
  let count = 0;
  switch (kind) {
    case 'bits': return (frame) => frame.with(frame.length - 1, (frame.at(-1) ?? 0) ^ 1);
    case 'some bits': return (frame) => { count += 1; return count % 4 === 0 ? frame.with(22 % frame.length, (frame[22 % frame.length] ?? 0) ^ 1) : frame; };
    case 'absent': return (frame) => encodeNegative(frame.subarray(1, 17), { code: 'not-found', retryAfterSeconds: 0, detail: 0 });
    case 'busy': return (frame) => encodeNegative(frame.subarray(1, 17), { code: 'busy', retryAfterSeconds: 2, detail: 0 });
    case 'silent': return () => undefined;
    default: return (frame) => frame;
  }
}

describe('downloads at random', () => {
  it('end complete and right, once, and leave nothing', () => {
    const contents = fc.array(sizes, { minLength: 1, maxLength: 3 });
    fc.assert(fc.property(fc.array(link, { minLength: 3, maxLength: 3 }), fc.tuple(liar, liar), contents, fc.array(event, { maxLength: 8 }), fc.constantFrom(3_000, 100_000, 2_000_000), fc.integer({ min: 1, max: 1_000_000 }),
      (links, liars, lengths, events, keptMaximumBytes, seed) => {
        const network = new Network(links, seed);
        for (const [index, kind] of liars.entries()) network.link(index + 2).tamper = tamperOf(kind);
        const contentsOf = lengths.map((length, index) => noise(length, seed + index));
        const running: Fetch[] = [];
        const start = (bytes: Uint8Array, index: number, resumed?: Fetch): void => {
          const fetch: Fetch = new Fetch(network, network.offer(bytes), [], {
            trafficClass: index === 1 ? 'chat' : 'bulk', keptMaximumBytes, ...(resumed === undefined ? {} : { snapshot: resumed.handle.snapshot, into: resumed.bytes }),
          });
          running[index] = fetch;
          // The honest one is added again for as long as it takes.
          fetch.onEnded = (sessionId) => { if (sessionId === 1) network.after(100, () => { if (!fetch.over) fetch.handle.addSource(1, network.now); }); };
          for (const sessionId of [3, 1, 2]) fetch.handle.addSource(sessionId, network.now);
        };
        for (const [index, bytes] of contentsOf.entries()) start(bytes, index);
        let letters = 0;
        let pulled = 0;
        for (const { atMs, session, kind } of events) {
          network.after(atMs, () => {
            const [first] = running;
            const at = network.link(session);
            switch (kind) {
              case 'lose': network.loseSession(session); return;
              case 'path': network.reader.pathChanged(session, network.now); return;
              case 'shrink': at.carriesBytes = 1_300; return;
              case 'grow': Object.assign(at, { carriesBytes: 65_507, limitBytes: 65_507 }); network.reader.pathChanged(session, network.now); return;
              case 'hold': first?.handle.hold(true, network.now); network.after(atMs * 10, () => { first?.handle.hold(false, network.now); }); return;
              case 'remove': first?.handle.removeSource(session, network.now); network.after(200, () => { if (first?.over === false) first.handle.addSource(session, network.now); }); return;
              case 'forget': network.holder(session).sessionLost(1, network.now); return;
              case 'outage': at.down = true; network.after(4_000, () => { at.down = false; }); return;
              case 'letter': {
                letters += 1;
                const letter = noise(3_000, seed + 99 + letters);
                network.offer(letter);
                const ask = (): void => { network.reader.pull(1, nameOf(letter), (outcome) => { if (outcome.kind === 'pulled') pulled += 1; else network.after(100, ask); }, network.now); };
                ask();
                return;
              }
              default: {
                if (first === undefined || first.over) return;
                const [bytes] = contentsOf;
                first.cancel(network.now);
                if (bytes !== undefined) start(bytes, 0, first);
              }
            }
          });
        }
        network.run(1_200_000, () => network.nowMs > 4_100 && running.every(({ over }) => over) && letters === pulled);
        for (const [index, fetch] of running.entries()) {
          expect([fetch.completed, fetch.repeatedBytes, fetch.afterEnd]).toEqual([1, 0, 0]);
          expect(equalBytes(fetch.bytes, contentsOf[index] ?? new Uint8Array(0))).toBe(true);
        }
        expect(pulled).toBe(letters);
        network.run(40_000);
        expect(network.reader.pollTimeout()).toBeUndefined();
      }), { numRuns: 60 });
  });
});
