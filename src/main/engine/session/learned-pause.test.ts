import { describe, expect, it } from 'vitest';
import { isBeat, readBeat } from './beat.ts';
import { beatCapability, learnedPauseMaximumMs, silentAfterMs } from './constants.ts';
import { createPair, textFrame, type Node, type Pair, type Packet } from './testing.ts';
import type { SessionId } from './types.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Transport overhead and two bytes. */
const beatDatagramBytes = 31;

function pairWith(learnedMs: number | undefined, capabilities: readonly string[] = [beatCapability]): Pair & { readonly id: SessionId; readonly tooLong: number[] } {
  const tooLong: number[] = [];
  const pair: Pair = createPair(5, undefined, { visor: { learnedPauseMs: () => learnedMs, pauseWasTooLong: (_address, now) => { tooLong.push(now.monotonicMs); } }, relay: { capabilities } });
  const id = pair.visor.dial(pair.relay);
  pair.net.run(500);
  return { ...pair, id, tooLong };
}
const sentBy = ({ net }: Pair, node: Node): readonly Packet[] => net.log.filter(({ from }) => from === node.address);

describe('a keepalive', () => {
  it('is a beat of 31 bytes where the other side knows it, answered by as many, and an echo now and then for the clock', () => {
    const pair = pairWith(undefined);
    pair.net.log.length = 0;
    pair.net.run(hourMs - 2_000);
    const sizes = sentBy(pair, pair.visor).map(({ datagram }) => datagram.length);
    const beats = sizes.filter((size) => size === beatDatagramBytes).length;
    const echoes = sizes.filter((size) => size === 47).length;
    expect(beats).toBeGreaterThan(100);
    expect(echoes).toBeGreaterThan(3);
    expect(echoes).toBeLessThan(14);
    expect(sentBy(pair, pair.relay).filter(({ datagram }) => datagram.length === beatDatagramBytes).length).toBe(beats);
    expect([pair.visor.of('silent').length, pair.visor.only.roundTripsMs.every((ms) => ms === 40), Math.round(pair.visor.only.clockOffsetMs ?? NaN) + 0]).toEqual([0, true, 0]);
  });

  it('is an echo where the other side does not know beats', () => {
    const pair = pairWith(undefined, []);
    pair.net.log.length = 0;
    pair.net.run(10 * minuteMs);
    expect(sentBy(pair, pair.visor).some(({ datagram }) => datagram.length === beatDatagramBytes)).toBe(false);
  });

  it('that is lost is followed by an echo after a second, and a relay that died is silent as soon as ever', () => {
    const pair = pairWith(undefined);
    pair.net.run(10_000);
    pair.net.hook = ({ datagram }) => (datagram.length === beatDatagramBytes ? [] : undefined);
    pair.net.run(minuteMs);
    expect([pair.visor.of('silent').length, pair.visor.only.roundTripsMs.includes(undefined)]).toEqual([0, true]);
    pair.net.hook = undefined;
    pair.relay.isDown = true;
    const diedMs = pair.net.ms;
    pair.net.run(2 * minuteMs);
    const [silent] = pair.visor.of('silent');
    expect((silent?.atMs ?? Infinity) - diedMs).toBeLessThanOrEqual(30_000 + silentAfterMs);
  });

  it('nobody can make up, show twice, or have taken for another: a beat is read from two bytes of a session', () => {
    expect([isBeat(Uint8Array.of(4, 7)), isBeat(Uint8Array.of(5, 7)), isBeat(Uint8Array.of(6, 7)), isBeat(Uint8Array.of(4)), isBeat(Uint8Array.of(4, 7, 0)), isBeat(new Uint8Array(0))]).toEqual([true, true, false, false, false, false]);
    expect(readBeat(Uint8Array.of(5, 7))).toEqual({ isAnswer: true, number: 7 });
    const pair = pairWith(undefined);
    // An answer to no beat tells nothing.
    pair.relay.act((sessions, now) => { sessions.send(pair.relay.only.id, Uint8Array.of(5, 9), now); });
    pair.net.run(100);
    expect([pair.visor.frames.length, pair.visor.of('silent').length]).toEqual([0, 0]);
  });
});

describe('a learned pause', () => {
  it('is as long as the router allows, with a margin, and two minutes at most', () => {
    for (const [learnedMs, fewest, most] of [[60_000, 70, 90], [480_000, 28, 36], [15_000, 290, 340]] as const) {
      const pair = pairWith(learnedMs);
      pair.net.log.length = 0;
      pair.net.run(hourMs - 2_000);
      const atMs = sentBy(pair, pair.visor).map((packet) => packet.atMs);
      expect(atMs.length).toBeGreaterThanOrEqual(fewest);
      expect(atMs.length).toBeLessThanOrEqual(most);
      const pauses = atMs.slice(1).map((ms, index) => ms - (atMs[index] ?? 0));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(Math.min(learnedPauseMaximumMs, learnedMs * 0.8) + 100);
      expect([pair.visor.of('silent').length, pair.relay.of('closed').length]).toEqual([0, 0]);
    }
  });

  it('costs that a relay which died is noticed one such pause later, and nothing while anything is sent', () => {
    const pair = pairWith(480_000);
    pair.relay.isDown = true;
    const diedMs = pair.net.ms;
    pair.net.run(5 * minuteMs);
    const afterMs = (pair.visor.of('silent')[0]?.atMs ?? Infinity) - diedMs;
    expect(afterMs).toBeGreaterThan(100_000);
    expect(afterMs).toBeLessThanOrEqual(learnedPauseMaximumMs + silentAfterMs);
    const used = pairWith(480_000);
    used.relay.isDown = true;
    used.visor.send(used.id, textFrame('deposit', used.net.random));
    const askedMs = used.net.ms;
    used.net.run(minuteMs);
    expect((used.visor.of('silent')[0]?.atMs ?? Infinity) - askedMs).toBeLessThanOrEqual(silentAfterMs);
  });

  it('survives a keepalive that is lost, and the relay still has the session', () => {
    const pair = pairWith(480_000);
    let lost = 0;
    pair.net.hook = ({ from }) => (from === pair.visor.address && lost < 3 && (lost += 1) > 0 ? [] : undefined);
    pair.net.run(10 * minuteMs);
    expect([lost, pair.visor.of('silent').length, pair.visor.of('restarted').length, pair.relay.of('closed').length]).toEqual([3, 0, 0, 0]);
  });

  it('that was too long after all is told: the relay saw us elsewhere, follows, and asked', () => {
    const pair = pairWith(480_000);
    const elsewhere = { host: '10.0.0.99', port: 5_555 };
    // A router that gives the visor another place from now on.
    pair.net.hook = ({ from, to }) => {
      if (from === pair.visor.address) return [{ from: elsewhere }];
      return to.host === elsewhere.host ? [{ to: pair.visor.address }] : [];
    };
    pair.net.run(learnedPauseMaximumMs + 10_000);
    expect(pair.tooLong.length).toBe(1);
    expect(pair.relay.only.address).toEqual(elsewhere);
    expect([pair.visor.of('silent').length, pair.visor.of('restarted').length]).toEqual([0, 0]);
    // What comes in finds the new place.
    pair.relay.send(pair.relay.only.id, textFrame('doorbell', pair.net.random));
    pair.net.run(1_000);
    expect(pair.visor.frames).toContain('doorbell');
  });

  it('is not blamed for a move while the usual pause holds', () => {
    const pair = pairWith(undefined);
    const elsewhere = { host: '10.0.0.99', port: 5_555 };
    pair.net.hook = ({ from, to }) => (from === pair.visor.address ? [{ from: elsewhere }] : to.host === elsewhere.host ? [{ to: pair.visor.address }] : []);
    pair.net.run(2 * minuteMs);
    expect([pair.tooLong.length, pair.relay.only.address]).toEqual([0, elsewhere]);
  });
});
