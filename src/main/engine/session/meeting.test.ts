import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Network, newPerson, requestFrame, seededRandom, testCrypto } from './testing.ts';

const crypto = testCrypto;
const people = [newPerson(crypto, seededRandom(11)), newPerson(crypto, seededRandom(12))]
  .toSorted((left, right) => (left.certificate.identity < right.certificate.identity ? -1 : 1));

describe('two visors that dial each other', () => {
  it('end with one session on both sides, the one that the lower identity initiated, over all latencies and orders', () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 }), fc.integer({ min: -600, max: 600 }), fc.boolean(), fc.boolean(), fc.nat(),
      (latencies, offset, lowerKnows, higherKnows, seed) => {
        const network = new Network(crypto, seed);
        const [lower, higher] = [network.add({}, people[0]), network.add({}, people[1])];
        network.latencyMs = (packet) => latencies[packet.number % latencies.length] ?? 1;
        const dialLower = (): unknown => lower.dial(higher, { known: lowerKnows });
        const dialHigher = (): unknown => higher.dial(lower, { known: higherKnows });
        if (offset <= 0) dialLower(); else dialHigher();
        network.runFor(Math.abs(offset));
        if (offset <= 0) dialHigher(); else dialLower();
        network.runFor(8_000);
        expect([lower.sessions.establishedCount, higher.sessions.establishedCount]).toEqual([1, 1]);
        expect([lower.sessions.tableSizes.sessions, higher.sessions.tableSizes.sessions]).toEqual([1, 1]);
        const here = lower.sessions.findByIdentity(higher.identity);
        const there = higher.sessions.findByIdentity(lower.identity);
        expect([here?.initiator, there?.initiator]).toEqual([true, false]);
        expect(lower.send(here?.id ?? 0, requestFrame(1))).toBe(true);
        expect(higher.send(there?.id ?? 0, requestFrame(2))).toBe(true);
        network.runFor(800);
        expect([lower.frames().length, higher.frames().length]).toEqual([1, 1]);
        network.runFor(60_000);
        expect([lower.sessions.establishedCount, higher.sessions.establishedCount]).toEqual([1, 1]);
      },
    ), { numRuns: 100 });
  }, 60_000);

  it('still meet when a tenth of everything is lost', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1_000 }), fc.nat(), (offset, seed) => {
      const network = new Network(crypto, seed);
      const [lower, higher] = [network.add({}, people[0]), network.add({}, people[1])];
      const chance = seededRandom(seed + 1);
      network.tamper = (packet) => ((chance(1)[0] ?? 0) < 25 ? undefined : packet.datagram);
      higher.dial(lower);
      network.runFor(offset);
      lower.dial(higher);
      network.runFor(30_000);
      network.tamper = (packet) => packet.datagram;
      network.runFor(60_000);
      expect([lower.sessions.establishedCount, higher.sessions.establishedCount]).toEqual([1, 1]);
    }), { numRuns: 30 });
  }, 60_000);

  it('use whichever works when only one of them can be reached', () => {
    const network = new Network(crypto);
    const [lower, higher] = [network.add({}, people[0]), network.add({ listening: false }, people[1])];
    lower.dial(higher);
    higher.dial(lower);
    network.runFor(5_000);
    expect(lower.sessions.findByIdentity(higher.identity)).toMatchObject({ initiator: false });
    expect(higher.sessions.findByIdentity(lower.identity)).toMatchObject({ initiator: true });
  });

  it('replace a session whose other end has restarted, whoever dials then', () => {
    const network = new Network(crypto);
    const [lower, higher] = [network.add({}, people[0]), network.add({}, people[1])];
    lower.dial(higher);
    network.runFor(1_000);
    higher.restart();
    higher.dial(lower);
    network.runFor(2_000);
    expect(lower.events).toContainEqual(expect.objectContaining({ kind: 'closed', reason: 'replaced' }));
    expect(lower.sessions.findByIdentity(higher.identity)).toMatchObject({ initiator: false });
    expect([lower.sessions.establishedCount, higher.sessions.establishedCount]).toEqual([1, 1]);
  });

  it('keep one session when one of them dials twice', () => {
    const network = new Network(crypto);
    const [lower, higher] = [network.add({}, people[0]), network.add({}, people[1])];
    const first = lower.dial(higher);
    network.runFor(1_000);
    const second = lower.dial(higher);
    network.runFor(1_000);
    expect(lower.events).toContainEqual({ kind: 'closed', sessionId: first, reason: 'replaced' });
    expect(lower.sessions.view(second)).toBeDefined();
    network.runFor(60_000);
    expect([lower.sessions.establishedCount, higher.sessions.establishedCount, higher.count('closed')]).toEqual([1, 1, 0]);
  });
});
