/** A listening side under load: cookies, bounds, budgets. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { answerFrame, createPerson, Net, type Node } from './testing.ts';
import type { SessionLimits } from './types.ts';


function relayIn(net: Net, limits: Partial<SessionLimits> = {}): Node {
  return net.add('relay', { limits });
}

/** A handshake-1 that a stranger made: valid, but nobody reads the answer. */
function strangersMessage(net: Net, relay: Node, anonymous = true): Uint8Array {
  const stranger = net.add('stranger', { listening: false, person: { ...createPerson(1_000, crypto) } });
  stranger.dial(relay, { anonymous });
  net.nodes.pop();
  return net.log.at(-1)?.datagram ?? new Uint8Array(0);
}

describe('load', () => {
  it('of 20,000 spoofed handshakes fills no table, and honest dialers still get through with a cookie', () => {
    const net = new Net(1, crypto);
    const relay = relayIn(net);
    const message = strangersMessage(net, relay);
    for (let index = 0; index < 20_000; index += 1) {
      const from = { host: `198.18.${String(index >> 8)}.${String(index & 255)}`, port: 1 };
      relay.receive(from, message);
      expect(relay.sentTo.get(`${from.host}|1`) ?? 0).toBeLessThanOrEqual(message.length);
      if (index % 20 === 19) net.ms += 1;
    }
    const answered = [...relay.sentTo.values()].filter((bytes) => bytes > 21).length;
    expect(answered).toBeLessThanOrEqual(1_000);
    expect(relay.drops()['cookie-demanded']).toBe(20_000 - answered);
    // The flood goes on while three honest ones come.
    const honest = [2, 3, 4].map((seed) => net.add('honest', { listening: false, person: createPerson(seed, crypto) }));
    for (let count = 0; count < 600; count += 1) relay.receive({ host: '198.20.0.1', port: 1 + count }, message);
    for (const [index, node] of honest.entries()) node.dial(relay, [{}, { remoteStatic: undefined }, { anonymous: true }][index]);
    for (let step = 0; step < 100; step += 1) {
      for (let count = 0; count < 50; count += 1) relay.receive({ host: `198.19.${String(step)}.${String(count)}`, port: 2 }, message);
      net.run(20);
    }
    expect(honest.map((node) => node.live.length)).toEqual([1, 1, 1]);
    expect(net.log.some((packet) => packet.type === 5 && packet.to === honest[0]?.address)).toBe(true);
    net.run(11_000);
    expect(relay.sessions.pollTimeout()?.reason).toBe('session liveness');
  });

  it('from addresses that are real fills the table of half-made handshakes, and the newest still finish', () => {
    const net = new Net(2, crypto);
    const relay = relayIn(net, { pendingHandshakes: 64, cookieThresholdPerSecond: 1_000_000 });
    net.hook = (packet) => (packet.type === 2 && packet.to.host.startsWith('10.0.0.') && packet.to.host !== '10.0.0.3' ? [] : undefined);
    const message = strangersMessage(net, relay);
    net.run(100);
    for (let index = 0; index < 200; index += 1) {
      const from = { host: '198.18.0.1', port: 1 + index };
      net.hook = (packet) => (packet.type === 5 && packet.to.host === from.host ? (relay.receive(packet.to, Uint8Array.from([...message.subarray(0, 6), ...packet.datagram.subarray(5), ...message.subarray(22)])), []) : undefined);
      relay.receive(from, message);
    }
    net.hook = undefined;
    expect(relay.drops()['handshake-limit']).toBe(200 + 1 - 64);
    const visor = net.add('visor', { listening: false });
    visor.dial(relay);
    net.run(500);
    expect(visor.live.length).toBe(1);
  });

  it('cookies hold for their address only, and for no more than two periods', () => {
    const net = new Net(3, crypto);
    const relay = relayIn(net, { cookieThresholdPerSecond: 0 });
    const message = strangersMessage(net, relay);
    const from = { host: '198.18.0.1', port: 1 };
    relay.receive(from, message);
    const cookie = net.log.at(-1)?.datagram.subarray(5) ?? new Uint8Array(0);
    const withCookie = Uint8Array.from([...message.subarray(0, 6), ...cookie, ...message.subarray(22)]);
    relay.receive({ host: '198.18.0.2', port: 1 }, withCookie);
    expect(relay.drops()).toEqual({ 'cookie-demanded': 1, 'bad-cookie': 1 });
    const answers = (): number => net.log.filter((packet) => packet.type === 2).length;
    relay.receive(from, withCookie);
    expect(answers()).toBe(1);
    for (const [afterMs, count] of [[3_500_000, 2], [3_500_000, 3], [3_700_000, 3]] as const) {
      net.run(afterMs);
      relay.receive(from, withCookie);
      expect(answers()).toBe(count);
    }
    net.run(20_000_000);
    relay.receive(from, withCookie);
    expect(answers()).toBe(3);
  });

  it('of sessions stops at the limit for new devices, never for one that has a session', () => {
    const net = new Net(4, crypto);
    const relay = relayIn(net, { sessions: 3 });
    const visors = [2, 3, 4, 5, 6].map((seed) => net.add('visor', { listening: false, person: createPerson(seed, crypto) }));
    for (const [index, visor] of visors.entries()) { visor.dial(relay, index % 2 === 0 ? {} : { remoteStatic: undefined }); net.run(400); }
    expect(relay.sessions.establishedCount).toBe(3);
    expect(relay.drops()['session-limit']).toBeGreaterThan(0);
    const [first] = visors;
    first?.restart();
    first?.dial(relay);
    net.run(500);
    expect(relay.of('restarted').length).toBe(1);
    expect(relay.sessions.tableSizes()).toMatchObject({ links: 3, statics: 3 });
    // One leaves, and there is room.
    visors[1]?.act((sessions, now) => { for (const session of [...visors[1]?.live ?? []]) sessions.close(session.id, now); });
    net.run(12_000);
    expect(relay.sessions.establishedCount).toBe(3);
  });

  it('of certificates of strangers leaves known ones and own dials alone', () => {
    const net = new Net(5, crypto);
    const relay = relayIn(net, { certificateChecksPerSecond: 2 });
    const known = net.add('known', { listening: false, person: createPerson(50, crypto) });
    known.dial(relay);
    net.run(1_500);
    const strangers = [51, 52, 53, 54, 55].map((seed) => net.add('stranger', { listening: false, person: createPerson(seed, crypto) }));
    const other = net.add('other', { person: createPerson(60, crypto) });
    net.ms = Math.ceil(net.ms / 1_000) * 1_000;
    for (const stranger of strangers) stranger.dial(relay);
    known.restart();
    known.dial(relay);
    relay.dial(other);
    net.run(200);
    expect(relay.of('established').length).toBe(1 + 2 + 1);
    expect(relay.of('restarted').length).toBe(1);
    expect(relay.drops()['certificate-budget']).toBe(3);
    net.run(20_000);
    expect(relay.sessions.establishedCount).toBe(1 + 5 + 1);
  });

  it('two sides that chose the same index do not get into each other\'s way', () => {
    const net = new Net(6, crypto);
    const visor = net.add('visor', { listening: false });
    // The same generator from the same state: equal indices at both relays.
    const relays = [7, 8].map((seed) => { const inner = new Net(99, crypto); return net.add('relay', { person: createPerson(seed, crypto), random: inner.random }); });
    for (const relay of relays) { visor.dial(relay); net.run(500); }
    for (const relay of relays) { relay.restart({ bootId: net.random(8) }); }
    for (const session of visor.live) visor.send(session.id, answerFrame('x', net.random));
    net.run(500);
    expect(visor.of('restarted').length).toBe(2);
  });
});
