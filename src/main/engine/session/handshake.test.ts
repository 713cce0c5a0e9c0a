import { describe, expect, it } from 'vitest';
import { datagramTypes } from './datagram.ts';
import { Network, requestFrame, testCrypto } from './testing.ts';

const crypto = testCrypto;
const newNetwork = (seed = 1): Network => new Network(crypto, seed);

describe.each([['IK', true], ['XX', false]] as const)('handshake %s', (_pattern, known) => {
  it('establishes one session on both sides that carries frames both ways', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    const id = visor.dial(relay, { known });
    network.runFor(1_000);
    expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([1, 1]);
    const view = visor.sessions.view(id);
    expect(view).toMatchObject({ initiator: true, anonymous: false, remoteCapabilities: ['mail', 'pull'], address: relay.address });
    expect(view?.remoteCertificate?.identity).toBe(relay.identity);
    expect(view?.roundTripsMs).toEqual([40]);
    expect(relay.sessions.findByIdentity(visor.identity)).toMatchObject({ initiator: false });
    expect(visor.send(id, requestFrame(1))).toBe(true);
    expect(relay.send(relay.onlyId(), requestFrame(2))).toBe(true);
    network.runFor(100);
    expect(relay.frames()).toEqual([requestFrame(1)]);
    expect(visor.frames()).toEqual([requestFrame(2)]);
    expect([...Object.values(visor.sessions.dropCounters), ...Object.values(relay.sessions.dropCounters)].every((count) => count === 0)).toBe(true);
  });

  it.each([0, 1, 2, 3, 4])('survives the loss of datagram %i', (lost) => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    network.tamper = (packet) => (packet.number === lost ? undefined : packet.datagram);
    const id = visor.dial(relay, { known });
    network.runFor(3_000);
    expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([1, 1]);
    expect([visor.count('established'), relay.count('established')]).toEqual([1, 1]);
    network.tamper = (packet) => packet.datagram;
    visor.send(id, requestFrame(1));
    network.runFor(100);
    expect(relay.frames()).toHaveLength(1);
    expect(relay.sessions.tableSizes).toMatchObject({ sessions: 1 });
  });

  it('makes no session when any byte of a handshake was changed', () => {
    const sample = newNetwork();
    const [first, second] = [sample.add(), sample.add()];
    first.dial(second, { known });
    sample.runFor(1_000);
    const handshakes = sample.log.filter((packet) => packet.datagram[0] !== datagramTypes.transport);
    expect(handshakes).toHaveLength(known ? 2 : 3);
    for (const { number, datagram } of handshakes) {
      for (let at = 1; at < datagram.length; at += datagram.length > 1_000 ? 97 : 61) {
        // Outside the transcript on purpose: the cookie, which changes between repetitions, and the index where packets are to be sent.
        if ((number === 0 && at >= 6 && at < 22) || (number === 1 && at < 5)) continue;
        const network = newNetwork();
        const [visor, relay] = [network.add(), network.add()];
        network.tamper = (packet) => {
          if (packet.datagram[0] !== datagram[0]) return packet.datagram;
          const changed = packet.datagram.slice();
          changed[at] = (changed[at] ?? 0) ^ 1;
          return changed;
        };
        visor.dial(relay, { known });
        network.runFor(600);
        expect(visor.sessions.establishedCount, `datagram ${String(number)} byte ${String(at)}`).toBe(0);
        expect(relay.sessions.establishedCount).toBe(0);
      }
    }
  });

  it('recovers when the index in the answer was changed', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    let changes = 1;
    network.tamper = (packet) => {
      if (packet.datagram[0] !== datagramTypes.handshakeTwo || changes === 0) return packet.datagram;
      changes -= 1;
      const changed = packet.datagram.slice();
      changed[3] = (changed[3] ?? 0) ^ 1;
      return changed;
    };
    const id = visor.dial(relay, { known });
    network.runFor(10_000);
    visor.send(id, requestFrame(1));
    network.runFor(100);
    expect(relay.frames()).toHaveLength(1);
    expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([1, 1]);
  });

  it('never answers a handshake-1 with more bytes than it had', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    network.tamper = (packet) => (packet.datagram[0] === datagramTypes.handshakeOne ? packet.datagram : undefined);
    visor.dial(relay, { known });
    network.runFor(60_000);
    expect(network.bytesBetween(relay.address, visor.address)).toBeGreaterThan(0);
    expect(network.bytesBetween(relay.address, visor.address)).toBeLessThanOrEqual(network.bytesBetween(visor.address, relay.address));
  });

  it('does not tell who dials when the dial is anonymous', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    const id = visor.dial(relay, { known, anonymous: true });
    network.runFor(1_000);
    expect(relay.sessions.findByIdentity(visor.identity)).toBeUndefined();
    const view = relay.sessions.view(relay.onlyId());
    expect(view).toMatchObject({ anonymous: true, remoteCertificate: undefined });
    expect(view?.remoteStatic).not.toEqual(visor.person.staticKeys.publicKey);
    expect(visor.sessions.view(id)?.remoteCertificate?.identity).toBe(relay.identity);
    expect(visor.sessions.findByIdentity(relay.identity)).toBeUndefined();
  });

  it('keeps an anonymous and a certified session to one relay apart', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    visor.dial(relay, { known });
    visor.dial(relay, { known, anonymous: true });
    visor.dial(relay, { known, anonymous: true });
    network.runFor(120_000);
    expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([3, 3]);
    expect(visor.count('closed') + relay.count('closed')).toBe(0);
  });

  it('closes a dial that reaches somebody else', () => {
    const network = newNetwork();
    const [visor, relay, other] = [network.add(), network.add(), network.add()];
    visor.dial(relay, { known, identity: other.identity });
    network.runFor(1_000);
    expect(visor.events).toContainEqual(expect.objectContaining({ kind: 'closed', reason: 'wrong-identity' }));
    expect([visor.sessions.establishedCount, relay.sessions.establishedCount]).toEqual([0, 0]);
    expect(visor.sessions.tableSizes).toMatchObject({ sessions: 0, indices: 0 });
  });
});

describe('handshakes', () => {
  it('fall back to XX when the known device key is out of date', () => {
    const network = newNetwork();
    const [visor, relay, stranger] = [network.add(), network.add(), network.add()];
    visor.sessions.dial({ address: relay.address, identity: relay.identity, remoteStatic: stranger.person.staticKeys.publicKey, anonymous: false }, network.now);
    network.runFor(2_000);
    expect(visor.sessions.establishedCount).toBe(1);
    expect(visor.sessions.findByIdentity(relay.identity)?.remoteStatic).toEqual(relay.person.staticKeys.publicKey);
  });

  it('ignore a known key of small order', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    visor.sessions.dial({ address: relay.address, identity: relay.identity, remoteStatic: new Uint8Array(32), anonymous: false }, network.now);
    network.runFor(1_000);
    expect(visor.sessions.establishedCount).toBe(1);
  });

  it('are repeated with doubling pauses up to 8 s until the other side is there', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    relay.running = false;
    const times: number[] = [];
    network.tamper = (packet) => { if (packet.datagram[1] === 1) times.push(network.nowMs); return packet.datagram; };
    visor.dial(relay);
    network.runFor(40_000);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, pause] of pauses.entries()) {
      const nominal = Math.min(8_000, 250 * 2 ** index);
      expect(pause).toBeGreaterThanOrEqual(nominal * 0.79);
      expect(pause).toBeLessThanOrEqual(nominal * 1.21);
    }
    expect(pauses.length).toBeGreaterThan(6);
    relay.running = true;
    network.runFor(10_000);
    expect(visor.sessions.establishedCount).toBe(1);
  });

  it('are refused by whoever does not listen, and when dialling oneself', () => {
    const network = newNetwork();
    const [visor, other] = [network.add(), network.add({ listening: false })];
    visor.dial(other);
    visor.dial(visor);
    network.runFor(1_000);
    expect(other.sessions.dropCounters['not-listening']).toBeGreaterThan(0);
    expect(visor.sessions.dropCounters.self).toBe(1);
    expect(visor.events).toContainEqual(expect.objectContaining({ kind: 'closed', reason: 'wrong-identity' }));
    expect(visor.sessions.establishedCount).toBe(0);
  });

  it('refuse a certificate that has run out', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    network.nowMs += 366 * 86_400_000;
    visor.dial(relay);
    network.runFor(1_000);
    expect(relay.sessions.dropCounters['bad-certificate']).toBeGreaterThan(0);
    expect(visor.sessions.establishedCount).toBe(0);
  });

  it('refuse capabilities that do not fit before anybody dials', () => {
    const network = newNetwork();
    expect(() => network.add({ capabilities: Array.from({ length: 32 }, (_, index) => `capability-with-a-long-name-${String(index)}`) })).toThrow(RangeError);
  });

  it('need no table entry when the first message is replayed to a live session', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    const id = visor.dial(relay);
    network.runFor(1_000);
    const first = network.log.find((packet) => packet.datagram[0] === datagramTypes.handshakeOne)?.datagram ?? new Uint8Array(0);
    const before = relay.events.length;
    const viewBefore = relay.sessions.view(relay.onlyId());
    for (let round = 0; round < 20; round += 1) network.inject(relay, { host: '203.0.113.9', port: 7 }, first);
    for (let round = 0; round < 20; round += 1) network.inject(relay, visor.address, first);
    expect(relay.sessions.tableSizes.pending).toBe(1);
    expect(relay.events).toHaveLength(before);
    expect(relay.sessions.view(relay.onlyId())).toEqual(viewBefore);
    visor.send(id, requestFrame(1));
    network.runFor(15_000);
    expect(relay.frames()).toHaveLength(1);
    expect(relay.sessions.tableSizes).toMatchObject({ pending: 0, sessions: 1 });
  });

  it('give the same answer to the same first message', () => {
    const network = newNetwork();
    const [visor, relay] = [network.add(), network.add()];
    network.tamper = (packet) => (packet.datagram[0] === datagramTypes.handshakeTwo ? undefined : packet.datagram);
    visor.dial(relay);
    network.runFor(400);
    const answers = network.log.filter((packet) => packet.datagram[0] === datagramTypes.handshakeTwo).map((packet) => packet.datagram);
    expect(answers).toHaveLength(2);
    expect(answers[0]).toEqual(answers[1]);
    expect(relay.sessions.tableSizes.pending).toBe(1);
  });
});
