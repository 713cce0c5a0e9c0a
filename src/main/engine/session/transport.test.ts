/** Packets under the keys of a session: replay, order, size, tampering. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { ReplayWindow } from './replay-window.ts';
import { answerFrame, connectedPair, textFrame, type Packet } from './testing.ts';


describe('the replay window', () => {
  const reaches = (window: ReplayWindow, counter: number): boolean => {
    const fresh = window.isFresh(counter);
    if (fresh) window.accept(counter);
    return fresh;
  };

  it('holds exactly the newest 2,048', () => {
    const window = new ReplayWindow();
    for (const counter of [5_000, 5_000 - 2_047]) expect(reaches(window, counter)).toBe(true);
    expect(window.isFresh(5_000 - 2_048)).toBe(false);
    expect(reaches(window, 5_001)).toBe(true);
    expect(window.isFresh(5_000 - 2_047)).toBe(false);
    expect(reaches(window, 5_000 - 2_046)).toBe(true);
    for (const counter of [5_001, 5_000, 5_000 - 2_046]) expect(window.isFresh(counter)).toBe(false);
  });

  it('survives jumps up to the largest counter', () => {
    const window = new ReplayWindow();
    for (const counter of [0, 31, 32, 2_047, 2_048, 2_080, 2 ** 31 + 1, 2 ** 32 + 31, 2 ** 53 - 2]) {
      expect(reaches(window, counter)).toBe(true);
      expect(window.isFresh(counter)).toBe(false);
    }
    expect(window.isFresh(0)).toBe(false);
  });

  it('agrees with a set of all counters ever seen', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 2_000, max: 2_120 }), fc.integer({ min: 0, max: 2 ** 40 })), { maxLength: 300 }), (counters) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const counter of counters) {
        expect(reaches(window, counter)).toBe(!seen.has(counter) && counter > highest - 2_048);
        if (counter > highest - 2_048) seen.add(counter);
        highest = Math.max(highest, counter);
      }
    }));
  });
});

describe('transport', () => {
  it('delivers each frame once, in whatever order the packets come and however often', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 30 }), (seed) => {
      const { net, visor, relay, id } = connectedPair(seed, crypto);
      net.hook = () => Array.from({ length: 1 + ((net.random(1)[0] ?? 0) % 3) }, () => ({ delayMs: (net.random(1)[0] ?? 0) * 3 }));
      const sent = Array.from({ length: 60 }, (_, index) => String(index));
      for (const text of sent) { visor.send(id, answerFrame(text, net.random)); net.run(5); }
      net.run(2_000);
      expect([...relay.frames].sort((a, b) => Number(a) - Number(b))).toEqual(sent);
      expect(relay.drops()['unauthentic']).toBeUndefined();
    }), { numRuns: 20 });
  });

  it('takes frames as long as a datagram can hold; that short ones stay short is the business of whoever makes them', () => {
    const { net, visor, relay, id } = connectedPair(2, crypto);
    expect(visor.send(id, textFrame('x'.repeat(1_171 - 18), net.random))).toBe(true);
    expect(visor.send(id, textFrame('x'.repeat(65_507 - 29 - 17), net.random))).toBe(false);
    expect(visor.send(id, new Uint8Array(0))).toBe(false);
    expect(visor.send(id + 1, textFrame('x', net.random))).toBe(false);
    net.run(100);
    expect(relay.frames.map((frame) => frame.length)).toEqual([1_153]);
    expect(Math.max(...net.log.map((packet) => packet.datagram.length))).toBe(1_200);
    relay.receive(visor.address, new Uint8Array(1_201).fill(2));
    expect(relay.drops()).toEqual({ 'too-long': 1 });
  });

  it('drops and counts what was changed anywhere', () => {
    const { net, visor, relay, id } = connectedPair(3, crypto);
    let packet: Packet | undefined;
    net.hook = (one) => { packet = one; return []; };
    visor.send(id, answerFrame('once', net.random));
    net.hook = undefined;
    const bytes = packet?.datagram ?? new Uint8Array(0);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      relay.receive(visor.address, changed);
    }
    const before = Object.values(relay.drops()).reduce((sum, count) => sum + count, 0);
    expect(before).toBe(bytes.length);
    expect(relay.frames).toEqual([]);
    relay.receive(visor.address, bytes);
    relay.receive(visor.address, bytes);
    expect(relay.frames).toEqual(['once']);
    expect(relay.drops()['replayed']).toBe(1);
  });

  it('keeps echo, challenge and close from the layers above, and counts frames that are too short', () => {
    const { net, visor, relay, id } = connectedPair(4, crypto);
    visor.send(id, new Uint8Array(17).fill(2));
    net.run(100_000);
    expect(relay.drops()).toEqual({ 'bad-frame': 1 });
    expect([visor.of('frame'), relay.of('frame')]).toEqual([[], []]);
  });
});
