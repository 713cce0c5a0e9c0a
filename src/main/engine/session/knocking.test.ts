/** A link that was cut is there again about a second after the cut ends, however long it lasted. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { knockForMs, knockMs, knockOftenForMs, knockSeldomMs } from './constants.ts';
import { connectedPair, textFrame, type Pair } from './testing.ts';

/** A knock, and the way there and back. */
const soonMs = knockMs * 1.25 + 200;
const seldomMs = knockSeldomMs * 1.25 + 200;
const transportType = 4;
const handshakeType = 1;

/** The link is cut for so long, while something is said. */
function cut(forMs: number, seed: number): ReturnType<typeof connectedPair> {
  const pair = connectedPair(seed, crypto);
  pair.net.hook = () => [];
  pair.visor.send(pair.id, textFrame('anybody?', pair.net.random));
  pair.net.run(forMs);
  expect(pair.visor.of('silent').length).toBe(1);
  return pair;
}

function backAfterMs({ net, visor }: Pair, atMostMs: number): number {
  const healedMs = net.ms;
  net.hook = undefined;
  net.run(atMostMs);
  return (visor.of('established')[1]?.atMs ?? visor.of('restarted')[0]?.atMs ?? Infinity) - healedMs;
}

describe('a link that was cut', () => {
  it.each([8_000, 12_500, 30_000, 47_123, 60_000])('for %i ms is there again within a second or so, and needs no handshake', (cutMs) => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = cut(cutMs, seed);
      expect(backAfterMs(pair, 3_000)).toBeLessThan(soonMs);
      const { net, visor, relay, id } = pair;
      expect([...visor.of('restarted'), ...relay.of('restarted')]).toEqual([]);
      visor.send(id, textFrame('there', net.random));
      net.run(100);
      expect(relay.frames).toEqual(['there']);
    }
  });

  it('for minutes is asked for more seldom', () => {
    expect(backAfterMs(cut(170_000, 3), 10_000)).toBeLessThan(seldomMs);
  });

  it('for so long that the other side has forgotten the session is dialled as soon as it says so', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = cut(300_000, seed);
      expect(pair.relay.of('closed').map(({ reason }) => reason)).toEqual(['idle']);
      expect(backAfterMs(pair, 10_000)).toBeLessThan(seldomMs);
    }
  });

  it('while the network changed is there again as soon', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = connectedPair(seed, crypto);
      pair.net.hook = () => [];
      pair.visor.act((sessions, now) => { sessions.networkChanged(now); });
      pair.net.run(28_000);
      expect(pair.visor.of('silent').length).toBe(1);
      expect(backAfterMs(pair, 3_000)).toBeLessThan(soonMs);
    }
  });
});

describe('a side that stays away', () => {
  it('is asked a few hundred times in a few bytes, and no more after ten minutes', () => {
    const { net } = cut(6_600, 4);
    const logged = net.log.length;
    net.run(knockForMs);
    const asked = net.log.slice(logged).filter(({ type }) => type === transportType);
    const mostOften = knockOftenForMs / (knockMs * 0.75) + (knockForMs - knockOftenForMs) / (knockSeldomMs * 0.75);
    expect(asked.length).toBeGreaterThan(mostOften / 2);
    expect(asked.length).toBeLessThan(mostOften);
    expect(Math.max(...asked.map(({ datagram }) => datagram.length))).toBeLessThan(100);
    const after = net.log.length;
    net.run(knockForMs);
    expect(net.log.slice(after).every(({ type }) => type === handshakeType)).toBe(true);
  });

  it('and said goodbye is not asked', () => {
    const { net, visor, relay } = connectedPair(5, crypto);
    relay.act((sessions, now) => { sessions.close(relay.only.id, now); });
    relay.isDown = true;
    net.run(1_000);
    expect(visor.of('silent').length).toBe(1);
    const logged = net.log.length;
    net.run(60_000);
    expect(net.log.slice(logged).filter(({ type }) => type === transportType)).toEqual([]);
  });
});
