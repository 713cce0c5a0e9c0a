import { describe, expect, it } from 'vitest';
import { createCertificate } from '../wire/certificate.ts';
import { cookiePeriodMs } from './constants.ts';
import { CookieJar } from './cookie.ts';
import { datagramTypes, encodeHandshakeOne } from './datagram.ts';
import { Network, newPerson, seededRandom, testCrypto } from './testing.ts';
import { Timers } from './timers.ts';
import { TokenBucket } from './token-bucket.ts';

const crypto = testCrypto;
const spoofed = (index: number): { host: string; port: number } => ({ host: `100.${String(index >> 16)}.${String((index >> 8) & 255)}.${String(index & 255)}`, port: 1_000 });

describe('under load', () => {
  it('a cookie is demanded, repeated with the message, and lets the genuine one in', () => {
    const network = new Network(crypto);
    const [visor, relay] = [network.add(), network.add({ limits: { cookieThresholdPerSecond: 0 } })];
    visor.dial(relay);
    network.runFor(200);
    expect(visor.sessions.establishedCount).toBe(1);
    expect(relay.sessions.dropCounters['cookie-demanded']).toBe(1);
    expect(network.log.filter((packet) => packet.datagram[0] === datagramTypes.cookie)).toHaveLength(1);
  });

  it('a cookie of another address is refused', () => {
    const network = new Network(crypto);
    const [visor, relay] = [network.add(), network.add({ limits: { cookieThresholdPerSecond: 0 } })];
    visor.dial(relay);
    network.runFor(200);
    const withCookie = network.log.filter((packet) => packet.datagram[0] === datagramTypes.handshakeOne).at(-1);
    network.inject(relay, spoofed(1), withCookie?.datagram ?? new Uint8Array(0));
    expect(relay.sessions.dropCounters['bad-cookie']).toBe(1);
  });

  it('cookies last one period and the next', () => {
    const jar = new CookieJar(crypto, seededRandom(4));
    const cookie = jar.bake(spoofed(1), 0);
    expect(jar.isValid(cookie, spoofed(1), cookiePeriodMs + 1)).toBe(true);
    expect(jar.isValid(cookie, spoofed(2), cookiePeriodMs + 1)).toBe(false);
    expect(jar.isValid(cookie, spoofed(1), 2 * cookiePeriodMs + 2)).toBe(false);
  });

  it('tables stay within their bounds in a flood of 20,000 first messages from spoofed addresses', () => {
    const network = new Network(crypto);
    const limits = { pendingHandshakes: 64, cookieThresholdPerSecond: 100, sessions: 16 };
    const [visor, relay] = [network.add(), network.add({ limits })];
    const random = seededRandom(9);
    visor.dial(relay);
    network.runFor(500);
    let inBytes = 0;
    const start = network.log.length;
    for (let index = 0; index < 20_000; index += 1) {
      const datagram = encodeHandshakeOne('XX', index + 1, Uint8Array.of(1), new Uint8Array(1_176).map((_, at) => (at < 32 ? (index >> (at % 16)) & 255 : 0)));
      datagram.set(random(8), 24);
      inBytes += datagram.length;
      network.nowMs += 0.1;
      relay.sessions.handleDatagram(spoofed(index), datagram, network.now);
      for (let output = relay.sessions.pollOutput(); output !== undefined; output = relay.sessions.pollOutput()) {
        if (output.kind === 'transmit') network.log.push({ from: relay.address, to: output.to, datagram: output.datagram, number: network.log.length });
      }
      const sizes = relay.sessions.tableSizes;
      if (sizes.pending > 64 || sizes.indices > 65 || sizes.timers > 2_000 || sizes.sessions > 16) expect(sizes).toEqual('within bounds');
    }
    expect(relay.sessions.tableSizes.pending).toBeGreaterThan(40);
    expect(relay.sessions.dropCounters['cookie-demanded']).toBeGreaterThan(19_000);
    expect(network.log.slice(start).reduce((sum, packet) => sum + packet.datagram.length, 0)).toBeLessThan(inBytes / 10);
    expect(relay.sessions.establishedCount).toBe(1);
    network.runFor(15_000);
    expect(relay.sessions.tableSizes).toMatchObject({ pending: 0, sessions: 1, indices: 1 });
  });

  it('unknown certificates have a budget, known ones do not need it', () => {
    const network = new Network(crypto);
    const relay = network.add({ limits: { certificateChecksPerSecond: 2 } });
    const visors = Array.from({ length: 4 }, () => network.add());
    for (const visor of visors) visor.dial(relay);
    network.runFor(100);
    expect(relay.sessions.establishedCount).toBe(2);
    expect(relay.sessions.dropCounters['certificate-budget']).toBe(2);
    network.runFor(5_000);
    expect(relay.sessions.establishedCount).toBe(4);
    for (const visor of visors) { visor.restart(); visor.dial(relay); }
    network.runFor(100);
    expect(relay.count('restarted')).toBe(4);
  });

  it('a full table refuses strangers and lets its own rekey and come back', () => {
    const network = new Network(crypto);
    const relay = network.add({ limits: { sessions: 2 } });
    const [first, second, third] = [network.add(), network.add(), network.add()];
    first.dial(relay);
    second.dial(relay);
    network.runFor(1_000);
    third.dial(relay);
    network.runFor(2_000);
    expect(third.sessions.establishedCount).toBe(0);
    expect(relay.sessions.dropCounters['session-limit']).toBeGreaterThan(0);
    first.restart();
    first.dial(relay);
    network.runFor(1_000);
    expect(relay.count('restarted')).toBe(1);
  });

  it('anonymous sessions may fill half of the table only', () => {
    const network = new Network(crypto);
    const relay = network.add({ limits: { sessions: 4 } });
    const visors = Array.from({ length: 4 }, () => network.add());
    for (const visor of visors) visor.dial(relay, { anonymous: true });
    network.runFor(2_000);
    expect(relay.sessions.establishedCount).toBe(2);
    visors[3]?.dial(relay);
    network.runFor(1_000);
    expect(relay.sessions.establishedCount).toBe(3);
  });

  it('one identity with many devices keeps its newest eight', () => {
    const network = new Network(crypto);
    const relay = network.add();
    const identitySecret = new Uint8Array(32).fill(3);
    for (let device = 0; device < 12; device += 1) {
      const person = newPerson(crypto, network.random);
      const certificate = createCertificate({ ...person.certificate, identitySecret, deviceId: device.toString(16).padStart(32, '0') });
      network.add({}, { staticKeys: person.staticKeys, certificate }).dial(relay);
      network.runFor(200);
    }
    expect(relay.sessions.establishedCount).toBe(8);
    expect(relay.count('closed')).toBe(4);
  });
});

describe('timers', () => {
  it('fire in order, follow deadlines that move both ways, and hold few stale entries', () => {
    const timers = new Timers<{ wakeAtMs: number; queuedAtMs: number; readonly timerName: string }>();
    const items = Array.from({ length: 50 }, (_, index) => ({ wakeAtMs: 1_000 + ((index * 37) % 50), queuedAtMs: Infinity, timerName: String(index) }));
    for (const item of items) timers.update(item);
    for (const item of items) { item.wakeAtMs += 500; timers.update(item); }
    expect(timers.size).toBe(50);
    expect(timers.takeDue(1_499)).toBeUndefined();
    const order: number[] = [];
    for (let item = timers.takeDue(2_000); item !== undefined; item = timers.takeDue(2_000)) order.push(item.wakeAtMs);
    expect(order).toHaveLength(50);
    expect(order).toEqual(order.toSorted((left, right) => left - right));
  });

  it('a bucket gives its burst and then its rate', () => {
    const bucket = new TokenBucket(10, 5);
    expect(Array.from({ length: 8 }, () => bucket.take(0)).filter(Boolean)).toHaveLength(5);
    expect(Array.from({ length: 8 }, () => bucket.take(300)).filter(Boolean)).toHaveLength(3);
  });
});
