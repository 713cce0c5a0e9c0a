/** Two sides that listen dial each other at once: one session remains, and the same one at both ends. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { answerFrame, createPerson, Net, type Node } from './testing.ts';

const people = [createPerson(1, crypto), createPerson(2, crypto)] as const;

function expectOneSession(net: Net, sides: readonly [Node, Node], text: string): void {
  expect(sides.map((side) => side.live.length)).toEqual([1, 1]);
  expect(sides.map((side) => side.sessions.establishedCount)).toEqual([1, 1]);
  for (const side of sides) expect(side.send(side.only.id, answerFrame(text, net.random))).toBe(true);
  net.run(1_000);
  for (const side of sides) expect(side.frames.filter((frame) => frame === text).length).toBe(1);
}

describe('dialling each other', () => {
  it('ends in one session, through any latencies, orders and losses, at once and after the overlap has ended', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 2 ** 30 }), fc.integer({ min: 0, max: 1_500 }), fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 60 }), fc.boolean(), fc.boolean(), fc.boolean(),
      (seed, gapMs, spreadMs, lossPercent, swapped, firstKnows, secondKnows) => {
        const net = new Net(seed, crypto);
        net.keepLog = false;
        const sides = [net.add('first', { person: people[swapped ? 1 : 0] }), net.add('second', { person: people[swapped ? 0 : 1] })] as const;
        const byte = (): number => net.random(1)[0] ?? 0;
        net.latency = () => 1 + (byte() * spreadMs) / 255;
        net.hook = () => (byte() * 100 < lossPercent * 255 ? [] : undefined);
        sides[0].dial(sides[1], firstKnows ? {} : { remoteStatic: undefined });
        net.run(gapMs);
        sides[1].dial(sides[0], secondKnows ? {} : { remoteStatic: undefined });
        net.run(40_000);
        net.hook = undefined;
        net.run(12_000);
        expectOneSession(net, sides, 'soon');
        net.run(30_000);
        expectOneSession(net, sides, 'later');
        expect(sides.map((side) => side.sessions.tableSizes().links)).toEqual([1, 1]);
        // With loss a side may truly have forgotten the keys that the other still uses, and says so.
        if (lossPercent === 0) expect(sides.map((side) => side.of('restarted').length)).toEqual([0, 0]);
      },
    ), { numRuns: 150 });
  }, 60_000);

  it('without loss needs no more than two seconds, and frames flow all the time', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const net = new Net(seed, crypto);
      const sides = [net.add('first'), net.add('second')] as const;
      net.latency = () => 1 + ((net.random(1)[0] ?? 0) * 300) / 255;
      sides[0].dial(sides[1]);
      net.run((seed % 10) * 60);
      sides[1].dial(sides[0]);
      net.run(2_000);
      let sent = 0;
      for (let count = 0; count < 100; count += 1) {
        for (const side of sides) expect(side.send(side.only.id, answerFrame('x', net.random))).toBe(true);
        sent += 1;
        net.run(300);
      }
      net.run(1_000);
      expect(sides.map((side) => side.frames.length)).toEqual([sent, sent]);
      expect(sides.map((side) => side.of('silent').length + side.of('closed').length)).toEqual([0, 0]);
    }
  });

  it('both restarting at once find each other again', () => {
    const net = new Net(7, crypto);
    const sides = [net.add('first'), net.add('second')] as const;
    for (const round of [1, 2, 3]) {
      sides[0].dial(sides[1]);
      sides[1].dial(sides[0]);
      net.run(20_000);
      for (const side of sides) side.events.splice(0, side.events.length - 1);
      const ids = sides.map((side) => side.sessions.findByIdentity(sides[side === sides[0] ? 1 : 0].person.identity)?.id ?? -1);
      for (const [index, side] of sides.entries()) expect(side.send(ids[index] ?? -1, answerFrame(`round ${String(round)}`, net.random))).toBe(true);
      net.run(100);
      for (const side of sides) expect(side.frames).toContain(`round ${String(round)}`);
      for (const side of sides) side.restart();
    }
  });
});
