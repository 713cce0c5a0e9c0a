/** Whatever comes in: nothing throws, each datagram is counted or handled, and sessions that stand are not harmed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { answerFrame, connectedPair, createPair, type Node } from './testing.ts';

const total = (node: Node): number => Object.values(node.drops()).reduce((sum, count) => sum + count, 0);
const addresses = [{ host: '192.0.2.1', port: 1 }, { host: '::1', port: 65_535 }, { host: '10.0.0.1', port: 4_000 }, { host: '10.0.0.2', port: 4_000 }];

describe('hostile datagrams', () => {
  it('that are random never throw, and each is counted or answered', () => {
    const { net, visor, relay } = connectedPair(1, crypto);
    fc.assert(fc.property(fc.constantFrom(...addresses), fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 1_250 }), (from, type, bytes) => {
      const datagram = bytes.slice();
      if (datagram.length > 0) datagram[0] = type;
      for (const node of [visor, relay]) {
        const before = total(node);
        const sent = net.log.length;
        node.receive(from, datagram);
        expect(total(node) > before || net.log.length > sent).toBe(true);
      }
    }), { numRuns: 2_000 });
    net.run(5_000);
    expect([visor.live.length, relay.live.length, visor.of('closed').length]).toEqual([1, 1, 0]);
  });

  it('of the exact size of a handshake never throw', () => {
    const { visor, relay } = connectedPair(2, crypto);
    fc.assert(fc.property(fc.uint8Array({ minLength: 1_200, maxLength: 1_200 }), fc.constantFrom(1, 2), (bytes, pattern) => {
      const datagram = bytes.slice();
      datagram.set([1, pattern]);
      datagram.set([1, 1], 22);
      relay.receive(addresses[0] ?? relay.address, datagram);
      visor.receive(relay.address, datagram);
    }), { numRuns: 300 });
    expect(relay.sessions.establishedCount).toBe(1);
  });

  it('made by mutating, cutting, joining and repeating genuine ones never throw, and the session goes on', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 2 ** 30 }), fc.boolean(),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('flip', 'cut', 'grow', 'same', 'retype'), fc.nat(), fc.constantFrom(...addresses), fc.boolean()), { minLength: 1, maxLength: 60 }),
      (seed, knows, changes) => {
        const { net, visor, relay } = createPair(seed, crypto);
        const id = visor.dial(relay, knows ? {} : { remoteStatic: undefined });
        for (const [pick, how, where, from, toVisor] of changes) {
          const original = net.log[pick % net.log.length]?.datagram ?? new Uint8Array(1);
          let datagram = original.slice();
          const at = where % datagram.length;
          if (how === 'flip') datagram[at] = (datagram[at] ?? 0) ^ (1 + (where % 255));
          else if (how === 'cut') datagram = datagram.slice(0, at);
          else if (how === 'grow') datagram = Uint8Array.from([...datagram, ...datagram.subarray(0, where % 40)]);
          else if (how === 'retype') datagram[0] = where % 8;
          (toVisor ? visor : relay).receive(from, datagram);
          net.run(where % 60);
        }
        net.run(20_000);
        expect(visor.of('closed')).toEqual([]);
        expect(visor.send(id, answerFrame('still here', net.random))).toBe(true);
        net.run(200);
        expect(relay.frames).toEqual(['still here']);
      },
    ), { numRuns: 200 });
  }, 60_000);

  it('of a peer that holds the keys but speaks nonsense never throw', () => {
    const { net, visor, relay, id } = connectedPair(4, crypto);
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 1_171 }), fc.integer({ min: 0, max: 3 }), fc.constantFrom(1, 2, 99), (bytes, kind, verb) => {
      const frame = bytes.slice();
      frame.set([kind, verb].slice(0, frame.length));
      visor.send(id, frame);
      net.run(25);
    }), { numRuns: 500 });
    net.run(1_000);
    expect(relay.sessions.establishedCount).toBe(1);
    expect(relay.sessions.dropCounters['bad-frame']).toBeGreaterThan(0);
  });
});
