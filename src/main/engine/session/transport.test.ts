import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CipherState } from '../noise/index.ts';
import { rekeyAfterMs, rekeyAfterPackets } from './constants.ts';
import { datagramTypes, encodeUnknownSession, transportIndex } from './datagram.ts';
import { ReplayWindow } from './replay-window.ts';
import { hasWornOut, SessionKeys } from './session-keys.ts';
import { Session } from './session.ts';
import { Network, requestFrame, responseFrame, testCrypto } from './testing.ts';
import type { Endpoint } from './testing.ts';

const crypto = testCrypto;

interface Meeting { readonly network: Network; readonly visor: Endpoint; readonly relay: Endpoint; readonly id: number }
function connected(options: { readonly known?: boolean; readonly anonymous?: boolean } = {}): Meeting {
  const network = new Network(crypto);
  const [visor, relay] = [network.add(), network.add()];
  const id = visor.dial(relay, options);
  network.runFor(500);
  expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([1, 1]);
  return { network, visor, relay, id };
}
/** Whoever asks gets an answer: the layers above, for both. */
function answerRequests(network: Network, from: Endpoint): void {
  for (const event of from.events.splice(0)) if (event.kind === 'frame' && event.frame[0] === 1) from.send(event.sessionId, responseFrame(event.frame[2] ?? 0, 4));
  network.collect();
}
const isTransport = (datagram: Uint8Array): boolean => datagram[0] === datagramTypes.transport;

describe('the replay window', () => {
  it('accepts each counter once inside 2,048 and none behind, in any order', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.nat(6_000), fc.nat(100)), { maxLength: 400 }), (counters) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const counter of counters) {
        expect(window.isFresh(counter)).toBe(!seen.has(counter) && counter > highest - 2_048);
        if (!window.isFresh(counter)) continue;
        window.mark(counter);
        seen.add(counter);
        highest = Math.max(highest, counter);
        expect(window.highest).toBe(highest);
      }
    }));
  });
  it('works at the end of the exact numbers', () => {
    const window = new ReplayWindow();
    window.mark(Number.MAX_SAFE_INTEGER - 1);
    expect(window.isFresh(Number.MAX_SAFE_INTEGER - 1)).toBe(false);
    expect(window.isFresh(Number.MAX_SAFE_INTEGER - 2_048)).toBe(true);
    expect(window.isFresh(Number.MAX_SAFE_INTEGER - 2_049)).toBe(false);
  });
});

describe('packets', () => {
  it('are taken once, late ones included', () => {
    const { network, visor, relay, id } = connected();
    let delay = 400;
    network.latencyMs = () => { delay -= 30; return Math.max(20, delay); };
    const start = network.log.length;
    for (let fill = 1; fill <= 8; fill += 1) visor.send(id, requestFrame(fill));
    const sent = network.log.slice(start);
    network.runFor(600);
    expect(relay.frames()).toHaveLength(8);
    for (const packet of sent) network.inject(relay, visor.address, packet.datagram);
    expect(relay.frames()).toHaveLength(8);
    expect(relay.sessions.dropCounters.replayed).toBe(8);
  });

  it('are refused by send when they are too long, empty or for no session', () => {
    const { visor, id } = connected();
    expect(visor.send(id, new Uint8Array(1_172))).toBe(false);
    expect(visor.send(id, new Uint8Array(0))).toBe(false);
    expect(visor.send(999, requestFrame(1))).toBe(false);
    expect(visor.send(id, responseFrame(1, 1_171 - 22))).toBe(true);
  });

  it('never carry echo, challenge and their late answers to the layers above', () => {
    const { network, visor, relay } = connected();
    network.runFor(300_000);
    for (const packet of network.log) network.inject(relay, visor.address, packet.datagram);
    expect(visor.frames()).toHaveLength(0);
    expect(relay.frames()).toHaveLength(0);
    expect(visor.count('measured')).toBeGreaterThan(9);
  });

  it('that are random or mutated never throw, are all counted, and change nothing', () => {
    fc.assert(fc.property(fc.infiniteStream(fc.nat(0xffff)), fc.array(fc.uint8Array({ maxLength: 1_300 }), { maxLength: 20 }), (numbers, noise) => {
      const { network, visor, relay, id } = connected();
      const good = network.log.slice();
      const sum = (): number => Object.values(relay.sessions.dropCounters).reduce((total, count) => total + count, 0);
      const next = (): number => { const step: IteratorResult<number, unknown> = numbers.next(); return step.done === true ? 0 : step.value; };
      const mutated = Array.from({ length: 40 }, () => {
        const bytes = (good[next() % good.length]?.datagram ?? new Uint8Array(1)).slice();
        // Sender index, cookie and padding of a plausible first message are not wrong in themselves.
        const at = bytes[0] === 1 ? 22 + (next() % (bytes.length - 22)) : next() % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 + (next() % 255));
        return next() % 3 === 0 ? bytes.subarray(0, next() % bytes.length) : bytes;
      });
      for (const datagram of [...mutated, ...noise]) {
        const before = sum();
        network.inject(relay, { host: '198.51.100.7', port: 9 }, datagram);
        expect(sum(), `type ${String(datagram[0])} of ${String(datagram.length)}`).toBe(before + 1);
      }
      visor.send(id, requestFrame(1));
      network.runFor(100);
      expect(relay.frames()).toHaveLength(1);
      expect(relay.sessions.establishedCount).toBe(1);
    }), { numRuns: 40 });
  });
});

describe('rekeying', () => {
  it('happens within the hour, loses nothing under traffic, and keeps the session', () => {
    const { network, visor, relay, id } = connected();
    const relayId = relay.onlyId();
    let asked = 0;
    let answered = 0;
    const handshakes = (): number => network.log.filter((packet) => packet.datagram[0] === datagramTypes.handshakeOne).length;
    let jitter = 0;
    network.latencyMs = () => 10 + ((jitter = (jitter * 7 + 3) % 41) * 4);
    network.runFor(rekeyAfterMs * 0.79);
    visor.events = [];
    const before = handshakes();
    for (let round = 0; round < 4_000; round += 1) {
      visor.send(id, requestFrame(round % 250));
      asked += 1;
      network.runFor(200);
      answerRequests(network, relay);
      answered += visor.frames().length;
      visor.events = visor.events.filter((event) => event.kind !== 'frame');
    }
    network.runFor(1_000);
    answerRequests(network, relay);
    network.runFor(1_000);
    answered += visor.frames().length;
    expect(handshakes()).toBeGreaterThan(before);
    expect(answered).toBe(asked);
    expect(relay.sessions.findByIdentity(visor.identity)?.id).toBe(relayId);
    expect(visor.events.filter((event) => !['measured', 'frame'].includes(event.kind))).toEqual([]);
    expect(relay.sessions.tableSizes.sessions).toBe(1);
    network.runFor(11_000);
    expect(relay.sessions.tableSizes.indices).toBe(1);
    expect(visor.sessions.tableSizes.indices).toBe(1);
  }, 30_000);

  it('counts packets of both directions', () => {
    const keys = new SessionKeys(pairOfCiphers(), 1, 2, undefined, fakeOwner());
    expect(hasWornOut(keys, 3)).toBe(false);
    for (let count = 0; count < 3; count += 1) keys.seal(new Uint8Array(1));
    expect(hasWornOut(keys, 3)).toBe(true);
    expect(hasWornOut(keys, rekeyAfterPackets)).toBe(false);
    keys.window.mark(rekeyAfterPackets);
    expect(hasWornOut(keys, rekeyAfterPackets)).toBe(true);
  });

  it('of an anonymous session keeps it too', () => {
    const { network, visor, relay } = connected({ anonymous: true });
    network.runFor(rekeyAfterMs * 2.5);
    expect(relay.sessions.tableSizes.sessions).toBe(1);
    expect([visor.count('established'), relay.count('established'), relay.count('closed')]).toEqual([1, 1, 0]);
    expect(network.log.filter((packet) => packet.datagram[0] === datagramTypes.handshakeOne).length).toBeGreaterThanOrEqual(3);
  });
});

describe('liveness', () => {
  it('keeps an idle session with one echo every 20 to 30 s, answered by the other side', () => {
    const { network, visor, relay } = connected();
    const times: number[] = [];
    network.tamper = (packet) => { if (packet.from === visor.address) times.push(network.nowMs); return packet.datagram; };
    network.runFor(600_000);
    for (const [index, time] of times.slice(1).entries()) {
      expect(time - (times[index] ?? 0)).toBeGreaterThanOrEqual(19_900);
      expect(time - (times[index] ?? 0)).toBeLessThanOrEqual(30_100);
    }
    expect([visor.count('silent'), relay.count('closed')]).toEqual([0, 0]);
  });

  it('asks after an unanswered request at 1, 2, 4 and 6 s, is silent at 6.5 s once, and recovers', () => {
    const { network, visor, relay, id } = connected();
    const start = network.nowMs;
    const times: number[] = [];
    network.tamper = (packet) => {
      if (packet.from === visor.address && isTransport(packet.datagram)) times.push(network.nowMs - start);
      return undefined;
    };
    visor.send(id, requestFrame(1));
    network.runFor(6_499);
    expect(times).toEqual([0, 1_000, 2_000, 4_000, 6_000]);
    expect(visor.count('silent')).toBe(0);
    network.runFor(1);
    expect(visor.count('silent')).toBe(1);
    network.runFor(100_000);
    expect(visor.count('silent')).toBe(1);
    expect(visor.sessions.view(id)?.roundTripsMs.filter((value) => value === undefined)).toHaveLength(4);
    const before = visor.count('established');
    network.tamper = (packet) => packet.datagram;
    network.runFor(10_000);
    expect(visor.count('established')).toBe(before + 1);
    expect([visor.count('restarted'), visor.count('closed'), relay.count('closed')]).toEqual([0, 0, 0]);
    visor.send(id, requestFrame(2));
    network.runFor(100);
    expect(relay.frames()).toHaveLength(1);
    expect(relay.sessions.establishedCount).toBe(1);
  });

  it('closes responder sessions that hear nothing for 180 s', () => {
    const { network, visor, relay } = connected();
    visor.running = false;
    network.runFor(150_000);
    expect(relay.sessions.establishedCount).toBe(1);
    network.runFor(40_000);
    expect(relay.events).toContainEqual(expect.objectContaining({ kind: 'closed', reason: 'idle' }));
    expect(relay.sessions.tableSizes).toMatchObject({ sessions: 0, indices: 0 });
  });

  it('says goodbye, and hears it', () => {
    const { network, visor, relay, id } = connected();
    visor.sessions.close(id);
    network.runFor(100);
    expect(visor.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'closed-here' });
    expect(relay.events.at(-1)).toMatchObject({ kind: 'closed', reason: 'closed-by-peer' });
    expect([visor.sessions.tableSizes.indices, relay.sessions.tableSizes.indices]).toEqual([0, 0]);
    network.runFor(200_000);
    expect([visor.sessions.pollTimeout(), relay.sessions.pollTimeout()]).toEqual([undefined, undefined]);
  });

  it('notices a restart without goodbye at the first answer, with the right token, and is back within 2 s', () => {
    const { network, visor, relay, id } = connected();
    relay.running = false;
    network.runFor(3_000);
    relay.restart();
    relay.running = true;
    visor.send(id, requestFrame(1));
    network.runFor(2_000);
    expect(visor.events.flatMap((event) => (event.kind === 'restarted' ? [event.session.id] : []))).toEqual([id]);
    expect(relay.sessions.establishedCount).toBe(1);
    expect(visor.count('silent')).toBe(0);
    visor.send(id, requestFrame(2));
    network.runFor(100);
    expect(relay.frames()).toContainEqual(requestFrame(2));
  });

  it('notices a restart of the initiator at the responder under the same id', () => {
    const { network, visor, relay } = connected();
    const relayId = relay.onlyId();
    visor.restart();
    visor.dial(relay);
    network.runFor(1_000);
    expect(relay.count('restarted')).toBe(1);
    expect(relay.onlyId()).toBe(relayId);
    expect(relay.sessions.establishedCount).toBe(1);
  });

  it('takes unknown-session without the token for a hint: one handshake per 5 s, and the session goes on', () => {
    const { network, visor, relay, id } = connected();
    network.runFor(1_000);
    const packet = network.log.findLast((other) => other.from === visor.address && isTransport(other.datagram));
    const index = transportIndex(packet?.datagram ?? new Uint8Array(13));
    const handshakes = (): number => network.log.filter((other) => other.datagram[0] === datagramTypes.handshakeOne).length;
    const before = handshakes();
    network.tamper = (other) => (other.datagram[0] === datagramTypes.handshakeTwo ? undefined : other.datagram);
    for (let count = 0; count < 100; count += 1) network.inject(visor, relay.address, encodeUnknownSession(index, new Uint8Array(16).fill(9)));
    expect(handshakes()).toBe(before + 1);
    expect(visor.sessions.dropCounters['bad-reset-token']).toBe(100);
    network.inject(visor, { host: '203.0.113.1', port: 1 }, encodeUnknownSession(index, new Uint8Array(16)));
    network.inject(visor, relay.address, encodeUnknownSession(index ^ 1, new Uint8Array(16)));
    expect(visor.sessions.dropCounters.unexpected).toBe(2);
    visor.send(id, requestFrame(1));
    network.runFor(100);
    expect(relay.frames()).toHaveLength(1);
    expect([visor.count('closed'), visor.count('restarted'), visor.count('silent')]).toEqual([0, 0, 0]);
  });

  it('answers unknown indices at a bounded rate, never longer than what came, and nothing shorter than a packet', () => {
    const network = new Network(crypto);
    const relay = network.add();
    const stranger = { host: '198.51.100.1', port: 5 };
    const trigger = Uint8Array.of(4, ...new Uint8Array(28).fill(7));
    network.inject(relay, stranger, trigger.subarray(0, 28));
    expect(network.log).toHaveLength(0);
    for (let count = 0; count < 1_000; count += 1) network.inject(relay, stranger, trigger);
    expect(network.log.length).toBeLessThanOrEqual(200);
    expect(network.log.every((packet) => packet.datagram.length === 21)).toBe(true);
    expect(relay.sessions.dropCounters).toMatchObject({ truncated: 1, 'unknown-session': 1_000 });
  });

  it('estimates the clock of the other side', () => {
    const { network, visor, id } = connected();
    network.runFor(60_000);
    expect(Math.abs(visor.sessions.view(id)?.clockOffsetMs ?? 99)).toBeLessThanOrEqual(1);
    expect(visor.sessions.view(id)?.smoothedRoundTripMs).toBe(40);
  });
});

describe('roaming', () => {
  it('follows a new address after a challenge, at the first echo from it', () => {
    const { network, visor, relay, id } = connected();
    const old = visor.address;
    visor.address = { host: '192.0.2.77', port: 999 };
    visor.sessions.networkChanged(network.now);
    network.runFor(500);
    expect(relay.events).toContainEqual({ kind: 'moved', sessionId: relay.onlyId(), address: visor.address });
    expect(relay.sessions.view(relay.onlyId())?.address).toEqual(visor.address);
    const start = network.log.length;
    relay.send(relay.onlyId(), requestFrame(3));
    network.runFor(100);
    expect(network.log[start]?.to).toEqual(visor.address);
    expect(network.log.slice(start).some((packet) => packet.to === old)).toBe(false);
    expect(visor.frames()).toHaveLength(1);
    expect(visor.sessions.view(id)?.roundTripsMs.at(-1)).toBe(40);
  });

  it('never sends more to an unproven address than came from it, and keeps to the proven one', () => {
    const { network, visor, relay, id } = connected();
    const victim = { host: '203.0.113.200', port: 53 };
    network.tamper = (packet) => {
      if (packet.from === visor.address && isTransport(packet.datagram)) {
        network.post(victim, packet.to, packet.datagram);
        return undefined;
      }
      return packet.datagram;
    };
    for (let round = 0; round < 200; round += 1) {
      visor.send(id, requestFrame(round));
      network.runFor(100);
      for (const event of relay.events.splice(0)) if (event.kind === 'frame') relay.send(event.sessionId, responseFrame(1, 1_000));
      expect(network.bytesBetween(relay.address, victim)).toBeLessThanOrEqual(network.bytesBetween(victim, relay.address));
    }
    expect(network.bytesBetween(relay.address, victim)).toBeGreaterThan(0);
    expect(relay.events.some((event) => event.kind === 'moved')).toBe(false);
    expect(relay.sessions.findByIdentity(visor.identity)?.address).toEqual(visor.address);
  });

  it('is not moved by replays or forgeries from elsewhere', () => {
    const { network, visor, relay } = connected();
    const elsewhere = { host: '203.0.113.3', port: 3 };
    for (const packet of network.log.slice()) {
      if (!isTransport(packet.datagram) || packet.from !== visor.address) continue;
      network.inject(relay, elsewhere, packet.datagram);
      const forged = packet.datagram.slice();
      forged[12] = 200;
      network.inject(relay, elsewhere, forged);
    }
    network.runFor(5_000);
    expect(network.bytesBetween(relay.address, elsewhere)).toBe(0);
    expect(relay.count('moved')).toBe(0);
  });
});

function pairOfCiphers(): ConstructorParameters<typeof SessionKeys>[0] {
  return { send: new CipherState(crypto, new Uint8Array(32)), receive: new CipherState(crypto, new Uint8Array(32)) };
}
function fakeOwner(): Session { return new Session(1, { host: '10.0.0.1', port: 1 }, false, undefined); }
