/** Handshakes: who is who, what is lost, what is forged. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { HandshakeState, generateKeyPair } from '../noise/index.ts';
import { encodeHandshake, encodeShort, prologue } from './datagram.ts';
import { encodePayload } from './handshake-payload.ts';
import { decodeCertificate } from '../wire/certificate.ts';
import { connectedPair, createPair, createPerson, Net, textFrame, type Node, type Packet, type Pair } from './testing.ts';

const elsewhere = { host: '192.0.2.66', port: 666 };

/** Both ends have one session, and frames pass both ways. */
function expectWorks({ net, visor, relay }: Pair): void {
  const from = [visor.frames.length, relay.frames.length] as const;
  expect(visor.send(visor.only.id, textFrame('up', net.random))).toBe(true);
  expect(relay.send(relay.only.id, textFrame('down', net.random))).toBe(true);
  net.run(100);
  expect(relay.frames.slice(from[1])).toEqual(['up']);
  expect(visor.frames.slice(from[0])).toEqual(['down']);
}

/** What a man at the side who reads message 1 of XX can answer: a genuine message 2 of his own. */
function ownAnswer(packet: Packet, attacker: ReturnType<typeof createPerson>, net: Net): Uint8Array {
  const view = new DataView(packet.datagram.buffer, packet.datagram.byteOffset);
  const versions = packet.datagram.slice(23, 23 + (packet.datagram[22] ?? 0));
  const state = new HandshakeState({ crypto, pattern: 'XX', initiator: false, prologue: prologue('XX', versions), staticKeyPair: attacker.staticKeys, generateKeyPair: () => generateKeyPair(crypto, net.random) });
  state.readMessage(packet.datagram.subarray(23 + versions.length));
  const message = state.writeMessage(encodePayload({ version: 1, bootId: net.random(8), resetToken: net.random(16), certificate: attacker.certificate, capabilities: [] }));
  return encodeHandshake(2, 7, view.getUint32(2), message);
}

describe('a handshake that nobody disturbs', () => {
  it.each([
    ['IK, when the key is known', {}, [1, 2]],
    ['XX, when it is not', { remoteStatic: undefined }, [1, 2, 3]],
  ])('%s', (_, options, types) => {
    const pair = connectedPair(1, crypto, options);
    const { net, visor, relay } = pair;
    expect(net.log.filter((packet) => packet.type < 4).map((packet) => packet.type)).toEqual(types);
    expect(visor.only.remoteCertificate?.identity).toBe(relay.person.identity);
    expect(relay.only.remoteCertificate?.identity).toBe(visor.person.identity);
    expect(visor.only.remoteCapabilities).toEqual(['is.relay']);
    expect(relay.only.remoteCapabilities).toEqual(['is.visor']);
    expect(relay.only.remoteBootId).toEqual(visor.configuration.bootId);
    expect(visor.only.smoothedRoundTripMs).toBe(40);
    expect([visor.drops(), relay.drops()]).toEqual([{}, {}]);
    expectWorks(pair);
  });

  it.each([{}, { remoteStatic: undefined }])('tells nothing of an anonymous dialer: no certificate, another key and another boot id %#', (options) => {
    const pair = connectedPair(2, crypto, { ...options, anonymous: true });
    const { net, visor, relay } = pair;
    expect(relay.only).toMatchObject({ anonymous: true, remoteCertificate: undefined });
    expect(relay.only.remoteStatic).not.toEqual(visor.person.staticKeys.publicKey);
    expect(relay.only.remoteBootId).not.toEqual(visor.configuration.bootId);
    expect(visor.only.remoteCertificate?.identity).toBe(relay.person.identity);
    expect(visor.sessions.findByIdentity(relay.person.identity)).toBeUndefined();
    expectWorks(pair);
    // A certified session beside it is another one at both ends.
    visor.dial(relay);
    net.run(500);
    expect([visor.live.length, relay.live.length]).toEqual([2, 2]);
    const boots = relay.live.map((session) => String(session.remoteBootId));
    expect(new Set(boots).size).toBe(2);
  });

  it('keeps what is readable of XX message 1 free of anything that names the visor', () => {
    const [first, second] = [3, 3].map((seed) => createPair(seed, crypto));
    if (first === undefined || second === undefined) throw new Error('two pairs');
    first.visor.dial(first.relay, { remoteStatic: undefined });
    const datagram = first.net.log[0]?.datagram ?? new Uint8Array(0);
    expect(datagram.length).toBe(1_200);
    expect(datagram.subarray(24 + 32).every((byte) => byte === 0)).toBe(true);
  });

  it('is refused to itself, in each pattern and without a name too', () => {
    for (const options of [{}, { remoteStatic: undefined }, { anonymous: true }]) {
      const net = new Net(4, crypto);
      const node = net.add('self');
      node.dial(node, options);
      net.run(15_000);
      expect(node.live).toEqual([]);
      expect(node.of('established')).toEqual([]);
      expect(node.drops()['self']).toBeGreaterThan(0);
    }
  });

  it('does not answer where nobody listens', () => {
    const { net, visor, relay } = createPair(5, crypto, { relay: { listening: false } });
    visor.dial(relay);
    net.run(5_000);
    expect(net.log.some((packet) => packet.from === relay.address)).toBe(false);
    expect(relay.drops()).toEqual({ 'not-listening': 7 - 2 });
  });
});

describe('lost datagrams', () => {
  it.each([['IK', {}], ['XX', { remoteStatic: undefined }]])('%s recovers from the loss of any one datagram, and of any two in a row', (_, options) => {
    for (const burst of [1, 2]) {
      for (let lost = 0; lost < 8; lost += 1) {
        const pair = createPair(10 + lost, crypto);
        const { net, visor, relay } = pair;
        let count = 0;
        net.hook = () => { count += 1; return count > lost && count <= lost + burst ? [] : undefined; };
        visor.dial(relay, options);
        net.run(6_000);
        net.hook = undefined;
        expect(visor.of('established').length, `lost ${String(lost)}`).toBe(1);
        expect(relay.of('established').length, `lost ${String(lost)}`).toBe(1);
        expect(visor.of('silent')).toEqual([]);
        expectWorks(pair);
      }
    }
  });

  it('repeats message 3 of XX until it is there, with the same bytes', () => {
    const pair = createPair(30, crypto);
    const { net, visor, relay } = pair;
    let lost = 0;
    net.hook = (packet) => (packet.type === 3 && lost < 2 ? (lost += 1, []) : undefined);
    visor.dial(relay, { remoteStatic: undefined });
    net.run(5_000);
    const thirds = net.log.filter((packet) => packet.type === 3);
    expect(thirds.length).toBe(3);
    expect(new Set(thirds.map((packet) => String(packet.datagram))).size).toBe(1);
    expect(relay.drops()).toEqual({ unexpected: 2 });
    expectWorks(pair);
  });

  it('finishes through half of everything lost', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const pair = createPair(100 + seed, crypto);
      pair.net.hook = () => ((pair.net.random(1)[0] ?? 0) < 128 ? [] : undefined);
      pair.visor.dial(pair.relay, seed % 2 === 0 ? {} : { remoteStatic: undefined });
      pair.net.run(60_000);
      pair.net.hook = undefined;
      pair.net.run(20_000);
      expectWorks(pair);
    }
  });
});

describe('tampering', () => {
  it.each([['IK', {}], ['XX', { remoteStatic: undefined }]])('%s: a changed byte anywhere gives no wrong session, and the next attempt succeeds', (_, options) => {
    const plain = connectedPair(40, crypto, options).net.log.filter((packet) => packet.type < 4);
    for (const [index, packet] of plain.entries()) {
      // Every header byte, then every 29th: the rest is under one tag.
      for (let at = 0; at < packet.datagram.length; at += at < 40 ? 1 : 29) {
        const pair = createPair(40, crypto);
        const { net, visor, relay } = pair;
        let seen = -1;
        net.hook = (one) => {
          if (one.type < 4) seen += 1;
          if (one.type >= 4 || seen !== index) return undefined;
          const datagram = one.datagram.slice();
          datagram[at] = (datagram[at] ?? 0) ^ 0x41;
          return [{ datagram }];
        };
        visor.dial(relay, options);
        net.run(4_000);
        expect(visor.only.remoteCertificate?.identity).toBe(relay.person.identity);
        expect(relay.only.remoteCertificate?.identity).toBe(visor.person.identity);
        expectWorks(pair);
      }
    }
  });

  it('binds the versions that were offered: a list that was edited gives no session', () => {
    const pair = createPair(41, crypto);
    pair.net.hook = (packet) => {
      if (packet.type !== 1) return undefined;
      const datagram = packet.datagram.slice();
      datagram[23] = 9;
      return [{ datagram }];
    };
    pair.visor.dial(pair.relay);
    pair.net.run(5_000);
    expect([pair.visor.live, pair.relay.live]).toEqual([[], []]);
    expect(pair.relay.drops()['bad-version']).toBeGreaterThan(0);
  });
});

describe('the wrong side', () => {
  it.each([['a known key that belongs to another identity', 'known'], ['an address where another identity answers', 'unknown']])('closes after three answers: %s', (_, kind) => {
    const net = new Net(50, crypto);
    const visor = net.add('visor', { listening: false });
    const other = net.add('other');
    const wanted = createPerson(99, crypto);
    visor.dial(other, { identity: wanted.identity, remoteStatic: kind === 'known' ? other.person.staticKeys.publicKey : undefined });
    net.run(20_000);
    expect(visor.of('closed').map((event) => event.reason)).toEqual(['wrong-identity']);
    expect(visor.of('established')).toEqual([]);
    expect(visor.sessions.dropCounters['bad-certificate']).toBe(3);
    expect(visor.sessions.pollTimeout()).toBeUndefined();
  });

  it('is found with XX when the key that was known is stale', () => {
    const pair = createPair(51, crypto);
    pair.visor.dial(pair.relay, { remoteStatic: createPerson(77, crypto).staticKeys.publicKey });
    pair.net.run(2_000);
    expect(pair.relay.drops()).toEqual({ unauthentic: 2 });
    expectWorks(pair);
  });

  it('cannot end a dial or take it over by answering XX first, however often', () => {
    const pair = createPair(52, crypto);
    const { net, visor, relay } = pair;
    const attacker = createPerson(66, crypto);
    const impostor = { ...attacker, certificate: relay.person.certificate };
    let genuineLost = 4;
    net.hook = (packet) => {
      if (packet.type === 1) {
        for (const one of [attacker, impostor, attacker]) net.inject(relay.address, visor.address, ownAnswer(packet, one, net), 1);
        return undefined;
      }
      // The genuine answers to the first attempts are lost besides.
      return packet.type === 2 && genuineLost > 0 ? (genuineLost -= 1, []) : undefined;
    };
    visor.dial(relay, { remoteStatic: undefined });
    net.run(700);
    expect(visor.of('closed')).toEqual([]);
    genuineLost = 0;
    net.run(2_000);
    expect(visor.of('established').length).toBe(1);
    expect(visor.only.remoteCertificate?.identity).toBe(relay.person.identity);
    expectWorks(pair);
  });

  it('cannot end a live session by answering its handshakes', () => {
    const { net, visor, relay, id } = connectedPair(53, crypto, { remoteStatic: undefined });
    const attacker = createPerson(66, crypto);
    net.hook = (packet) => {
      if (packet.type !== 1) return undefined;
      if (packet.datagram[1] === 2) net.inject(relay.address, visor.address, ownAnswer(packet, attacker, net), 1);
      return [];
    };
    for (let round = 0; round < 20; round += 1) {
      const view = new DataView((net.log.findLast((packet) => packet.type === 4 && packet.to === relay.address)?.datagram ?? new Uint8Array(5)).buffer);
      net.inject(relay.address, visor.address, encodeShort(6, view.getUint32(1), net.random(16)));
      net.run(6_000);
    }
    expect(visor.of('closed')).toEqual([]);
    expect(visor.of('silent')).toEqual([]);
    expect(visor.sessions.view(id)).toBeDefined();
  });

  it('is refused with a certificate that is not theirs, not signed, or not valid any more', () => {
    const net = new Net(54, crypto);
    const relay = net.add('relay');
    const honest = createPerson(60, crypto);
    const stolen = net.add('thief', { person: { ...createPerson(61, crypto), certificate: honest.certificate } });
    const forged = createPerson(62, crypto);
    const bytes = forged.certificate.slice();
    bytes[190] = (bytes[190] ?? 0) ^ 1;
    const forger = net.add('forger', { person: { ...forged, certificate: bytes } });
    for (const node of [stolen, forger]) for (const remoteStatic of [undefined, relay.person.staticKeys.publicKey]) node.act((sessions, now) => { sessions.dial({ address: relay.address, identity: relay.person.identity, remoteStatic, anonymous: false }, now); });
    net.run(10_000);
    expect(relay.of('established')).toEqual([]);
    expect(relay.drops()['bad-certificate']).toBeGreaterThan(4);
    expect(decodeCertificate(bytes)).toBeDefined();
    net.ms += 400 * 86_400_000;
    const late = net.add('late');
    late.dial(relay);
    net.run(5_000);
    expect(relay.of('established')).toEqual([]);
  });
});

describe('copies and forgeries from elsewhere', () => {
  function replayAll(pair: Pair, packets: readonly Packet[]): void {
    for (const packet of packets) {
      for (const node of [pair.visor, pair.relay]) {
        node.receive(elsewhere, packet.datagram);
        node.receive(packet.from, packet.datagram);
      }
      pair.net.run(1);
    }
  }

  it.each([['IK', {}], ['XX', { remoteStatic: undefined }], ['anonymous', { anonymous: true }]])('%s: replaying everything that was ever sent changes nothing', (_, options) => {
    const pair = connectedPair(70, crypto, options);
    const { net, visor, relay } = pair;
    const before = [visor.only, relay.only].map(({ id, address, establishedMs }) => ({ id, address, establishedMs }));
    replayAll(pair, [...net.log]);
    net.run(15_000);
    replayAll(pair, [...net.log]);
    net.run(5_000);
    expect([visor.only, relay.only].map(({ id, address, establishedMs }) => ({ id, address, establishedMs }))).toEqual(before);
    expect([...visor.of('moved'), ...relay.of('moved'), ...visor.of('silent')]).toEqual([]);
    expect((relay.sentTo.get('192.0.2.66|666') ?? 0)).toBeLessThanOrEqual(relay.receivedFrom.get('192.0.2.66|666') ?? 0);
    expectWorks(pair);
  });

  it.each([2, 3, 4])('datagrams of type %i that come first from elsewhere do not lead the session there', (type) => {
    for (const options of [{}, { remoteStatic: undefined }]) {
      const pair = createPair(71, crypto);
      const { net, visor, relay } = pair;
      let copied = 0;
      net.hook = (packet) => {
        if (packet.type !== type || copied > 0) return undefined;
        copied += 1;
        // The copy is faster than the original.
        return [{ from: elsewhere }, { delayMs: 5 }];
      };
      visor.dial(relay, options);
      net.run(6_000);
      expect([visor.only.address, relay.only.address]).toEqual([relay.address, visor.address]);
      expect([...visor.of('silent'), ...visor.of('closed'), ...relay.of('closed')]).toEqual([]);
      expectWorks(pair);
    }
  });

  it('a whole handshake led over another address ends up on the straight path', () => {
    const pair = createPair(72, crypto);
    const { net, visor, relay } = pair;
    // The man at the side answers for both in both directions, faster than they are, and goes on until the session stands.
    net.hook = (packet) => (packet.type < 4 ? [packet.to === elsewhere ? { from: elsewhere, to: packet.datagram[0] === 2 ? visor.address : relay.address } : { from: elsewhere }] : undefined);
    visor.dial(relay);
    net.run(4_000);
    expect([visor.only.address, relay.only.address]).toEqual([relay.address, visor.address]);
    expectWorks(pair);
  });

  it('a first packet from an address that is not proved gets no more bytes than it brought', () => {
    const pair = createPair(73, crypto);
    const { net, visor, relay } = pair;
    // An initiator of ill will: completes the handshake and names a victim as the source of everything after.
    net.hook = (packet) => (packet.to === relay.address && packet.type >= 3 ? [{ from: elsewhere }] : undefined);
    visor.dial(relay);
    net.run(300);
    for (let index = 0; index < 50; index += 1) {
      relay.send(relay.only.id, textFrame('x'.repeat(1_000), net.random));
      net.run(50);
      expect(relay.sentTo.get('192.0.2.66|666') ?? 0).toBeLessThanOrEqual(relay.receivedFrom.get('192.0.2.66|666') ?? 0);
    }
  });

  it('a first packet that was held back does not bring back the keys of an older handshake', () => {
    const pair = createPair(74, crypto);
    const { net, visor, relay } = pair;
    let held: Packet | undefined;
    net.hook = (packet) => (packet.type === 4 && held === undefined ? (held = packet, []) : undefined);
    visor.dial(relay);
    net.run(100);
    expect(relay.live).toEqual([]);
    // The visor restarts and connects anew; then the old packet is let go.
    visor.restart();
    visor.dial(relay);
    net.run(500);
    if (held === undefined) throw new Error('nothing was held');
    relay.receive(visor.address, held.datagram);
    net.run(100);
    expect(relay.only.remoteBootId).toEqual(visor.configuration.bootId);
    expect(relay.of('restarted')).toEqual([]);
    const visorEnd = visor.sessions.findByIdentity(relay.person.identity);
    expect(visor.send(visorEnd?.id ?? -1, textFrame('up', net.random))).toBe(true);
    expect(relay.send(relay.only.id, textFrame('down', net.random))).toBe(true);
    net.run(100);
    expect([relay.frames, visor.frames]).toEqual([['up'], ['down']]);
  });

  it('forged cookies cost a few datagrams for each attempt and do not stop the dial', () => {
    const pair = createPair(75, crypto);
    const { net, visor, relay } = pair;
    net.hook = (packet) => {
      if (packet.type === 1) {
        const index = new DataView(packet.datagram.buffer, packet.datagram.byteOffset).getUint32(2);
        for (let count = 0; count < 50; count += 1) for (const from of [relay.address, elsewhere]) net.inject(from, visor.address, encodeShort(5, index, net.random(16)), 1);
      }
      return packet.type === 2 ? [] : undefined;
    };
    visor.dial(relay);
    net.run(700);
    // Two attempts so far, each with four cookies taken.
    expect(net.log.filter((packet) => packet.type === 1).length).toBe(2 * 5);
    net.hook = undefined;
    net.run(3_000);
    expectWorks(pair);
  });
});

describe('two dials', () => {
  it('to one identity are one session', () => {
    const pair = connectedPair(80, crypto);
    expect(pair.visor.dial(pair.relay)).toBe(pair.id);
    pair.net.run(30_000);
    expect(pair.relay.of('established').length).toBe(1);
    expectWorks(pair);
  });

  it('over the session that the other side began take it over', () => {
    const net = new Net(81, crypto);
    const [first, second]: readonly [Node, Node] = [net.add('first'), net.add('second')];
    first.dial(second);
    net.run(500);
    const { id } = second.only;
    expect(second.dial(first)).toBe(id);
    net.run(30_000);
    expect([first.live.length, second.live.length]).toEqual([1, 1]);
    // Wanted by both now: when the first closes it, the second dials, after a pause that is drawn from five seconds.
    first.act((sessions, now) => { sessions.close(first.only.id, now); });
    net.run(7_000);
    expect(second.only.id).toBe(id);
    expect(second.only.initiator).toBe(true);
  });
});
