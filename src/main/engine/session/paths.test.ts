/** Sessions between two visors: they meet by a circuit and move to what is nearer, and back. */
import { describe, expect, it } from 'vitest';
import { circuitAddress, isCircuitAddress } from '../circuits/tunnel.ts';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { doubtMs, pathDeadMs } from './path-constants.ts';
import { sameAddress, socketAddressKey, type SocketAddress } from '../wire/types.ts';
import { answerFrame, Net, textFrame, type Hook, type Node, type Packet } from './testing.ts';

const circuitOfAda = circuitAddress(7, 1);
const circuitOfBen = circuitAddress(9, 2);
const circuitDelayMs = 40;
const tierOf = (address: SocketAddress): number => (isCircuitAddress(address) ? 2 : 1);

type Fate = NonNullable<ReturnType<Hook>>[number];

interface World { readonly net: Net; readonly ada: Node; readonly ben: Node; readonly id: number; /** What the network does to datagrams that go directly. */ direct: (packet: Packet) => readonly Fate[]; isCircuitUp: boolean }

/** Ada has dialled Ben by a circuit; both stand behind nothing. */
function meet(seed: number): World {
  const net = new Net(seed, crypto);
  const visor = { listening: false, inCircuits: true, tierOf };
  const ada = net.add('ada', visor);
  const ben = net.add('ben', visor);
  const world: World = { net, ada, ben, id: 0, direct: () => [{}], isCircuitUp: true };
  net.hook = (packet) => {
    if (!isCircuitAddress(packet.to)) return world.direct(packet);
    if (!world.isCircuitUp) return [];
    const isToBen = sameAddress(packet.to, circuitOfAda);
    return [{ to: isToBen ? ben.address : ada.address, from: isToBen ? circuitOfBen : circuitOfAda, delayMs: circuitDelayMs }];
  };
  const id = ada.sessions.dial({ address: circuitOfAda, identity: ben.person.identity, remoteStatic: ben.person.staticKeys.publicKey, anonymous: false }, net.now);
  ada.drain();
  net.run(1_000);
  return Object.assign(world, { id });
}

const probe = ({ ada, ben, id, net }: World): void => {
  ada.act((sessions, now) => { sessions.probe(id, ben.address, now); });
  ben.act((sessions, now) => { sessions.probe(ben.only.id, ada.address, now); });
  net.run(200);
};

/** Sends a numbered frame every 100 ms in both directions for so long; returns how long the longest gap between two arrivals at Ben was. */
function talk({ net, ada, ben, id }: World, forMs: number, label: string): { readonly sent: string[]; readonly longestGapMs: number } {
  const sent: string[] = [];
  let lastMs = net.ms;
  let longestGapMs = 0;
  let before = ben.frames.length;
  for (let passedMs = 0; passedMs < forMs; passedMs += 100) {
    const text = `${label} ${String(passedMs)}`;
    sent.push(text);
    ada.send(id, textFrame(text, net.random));
    ben.send(ben.only.id, answerFrame(text, net.random));
    net.run(100);
    if (ben.frames.length > before) { longestGapMs = Math.max(longestGapMs, net.ms - lastMs); lastMs = net.ms; before = ben.frames.length; }
  }
  longestGapMs = Math.max(longestGapMs, net.ms - lastMs);
  net.run(500);
  return { sent, longestGapMs };
}

describe('a session that met by a circuit', () => {
  it('stands, in datagrams that fit a tunnel, and takes no handshake from elsewhere', () => {
    const world = meet(1);
    const { net, ada, ben } = world;
    expect([ada.only.address, ben.only.address]).toEqual([circuitOfAda, circuitOfBen]);
    expect(Math.max(...net.log.map(({ datagram }) => datagram.length))).toBeLessThanOrEqual(1_166);
    const stranger = net.add('stranger', { listening: false });
    stranger.dial(ben);
    net.run(3_000);
    expect(stranger.live).toEqual([]);
    expect(ben.drops()['not-listening']).toBeGreaterThan(0);
  });

  it('refuses what does not fit its tunnel, and carries it once it goes directly', () => {
    const world = meet(2);
    const large = answerFrame('x'.repeat(1_130), world.net.random);
    expect(world.ada.send(world.id, large)).toBe(false);
    probe(world);
    world.net.run(2_000);
    expect(world.ada.send(world.id, large)).toBe(true);
  });

  it('moves to an address that answered, and loses and repeats nothing', () => {
    const world = meet(3);
    const { net, ada, ben } = world;
    const first = talk(world, 1_000, 'circuit');
    probe(world);
    expect([ada.only.address, ben.only.address]).toEqual([ben.address, ada.address]);
    const second = talk(world, 5_000, 'direct');
    expect(ben.frames).toEqual([...first.sent, ...second.sent]);
    expect([...ada.of('silent'), ...ben.of('silent'), ...ada.of('closed')]).toEqual([]);
    expect(ada.of('moved').map(({ address }) => address)).toEqual([ben.address]);
    net.run(60_000);
    expect(ada.sessions.paths(world.id, net.now).map(({ address, isDoubtful }) => ({ address, isDoubtful }))).toEqual([{ address: circuitOfAda, isDoubtful: false }, { address: ben.address, isDoubtful: false }]);
  });

  it.each(['both directions', 'there', 'back'] as const)('goes by the circuit as well when the direct path is dead (%s), and loses nothing after that', (dead) => {
    const world = meet(4);
    const { ada, ben, net } = world;
    probe(world);
    talk(world, 2_000, 'before');
    world.direct = ({ from }) => (dead === 'both directions' || sameAddress(from, ada.address) === (dead === 'there') ? [] : [{}]);
    const { longestGapMs } = talk(world, 4_000, 'cut');
    expect(longestGapMs).toBeLessThanOrEqual(doubtMs + 1_500);
    const later = talk(world, 20_000, 'later');
    expect(ben.frames.filter((text) => text.startsWith('later'))).toEqual(later.sent);
    expect(new Set(ben.frames).size).toBe(ben.frames.length);
    expect([...ada.of('silent'), ...ben.of('silent')]).toEqual([]);
    net.run(pathDeadMs);
    expect(ada.sessions.paths(world.id, net.now).map(({ address }) => address)).toEqual([circuitOfAda]);
    world.direct = () => [{}];
    probe(world);
    expect(ada.only.address).toEqual(ben.address);
  });

  it('goes by a socket of its own that was hit by a guess, as by any other path, and hears no strangers there', () => {
    const world = meet(31);
    const { net, ada, ben, id } = world;
    const socket = 'guess-5';
    const opened: SocketAddress = { host: ben.address.host, port: 9_999 };
    const viaSocket: SocketAddress = { ...ada.address, socket };
    let mainDatagrams = 0;
    world.direct = ({ to }) => {
      if (sameAddress(to, opened)) return [{ to: ben.address, from: viaSocket }];
      if (to.socket === socket) return [{ to: ada.address, from: opened }];
      mainDatagrams += 1;
      return [];
    };
    // What Ben sends first opens his router only.
    ben.act((sessions, now) => { sessions.probe(ben.only.id, viaSocket, now); });
    ada.act((sessions, now) => { sessions.probe(id, opened, now); });
    net.run(300);
    expect([ada.only.address, ben.only.address]).toEqual([opened, viaSocket]);
    expect(ben.of('path').filter(({ address }) => address.socket === socket).map(({ change }) => change)).toEqual(['heard', 'proved']);
    const [last] = net.log.filter(({ to }) => sameAddress(to, opened)).slice(-1);
    const datagram = last?.datagram ?? new Uint8Array(0);
    const concerns = (from: SocketAddress, bytes: Uint8Array, sessionId = ben.only.id): boolean => ben.sessions.concerns(sessionId, from, bytes);
    const elsewhere: SocketAddress = { host: '192.0.2.77', port: 4_000, socket };
    // Its other side may have moved: what is sealed for it is looked at wherever it comes from, and nothing else is.
    expect([concerns(viaSocket, new Uint8Array(1_200).fill(1)), concerns(elsewhere, datagram)]).toEqual([true, true]);
    expect([concerns(elsewhere, new Uint8Array(1_200).fill(1)), concerns(elsewhere, new Uint8Array(0)), concerns(elsewhere, datagram, 99), concerns({ ...viaSocket, socket: 'guess-6' }, new Uint8Array(40))]).toEqual([false, false, false, false]);
    // New keys too are agreed on by this path alone: they are due after an hour.
    world.isCircuitUp = false;
    const handshakes = (): number => net.log.filter(({ type }) => type !== 4).length;
    const before = handshakes();
    for (let minute = 0; minute < 62; minute += 1) {
      talk(world, 500, `minute ${String(minute)}`);
      net.run(60_000);
    }
    expect(handshakes()).toBeGreaterThan(before);
    const sent = talk(world, 5_000, 'socket');
    expect(ben.frames.slice(-sent.sent.length)).toEqual(sent.sent);
    expect([...ada.of('silent'), ...ben.of('silent'), ...ada.of('closed'), ...ben.of('closed')]).toEqual([]);
    expect(mainDatagrams).toBe(0);
  });

  it('is asked by a probe at a path that has fallen silent, and at no other', () => {
    const world = meet(32);
    const { net, ada, ben, id } = world;
    probe(world);
    talk(world, 2_000, 'before');
    const probes = (): number => { const before = net.log.length; probe(world); return net.log.slice(before).filter(({ to }) => sameAddress(to, ben.address)).length; };
    expect(probes()).toBe(0);
    world.direct = () => [];
    talk(world, 6_000, 'dead');
    const isDoubtful = (): boolean | undefined => ada.sessions.paths(id, net.now).find(({ address }) => sameAddress(address, ben.address))?.isDoubtful;
    expect(isDoubtful()).toBe(true);
    world.direct = () => [{}];
    // The next challenge would be seconds away.
    expect(probes()).toBeGreaterThan(0);
    expect([isDoubtful(), ada.only.address]).toEqual([false, ben.address]);
  });

  it('outlives its circuit while the direct path stands', () => {
    const world = meet(5);
    const { ada, ben, net, id } = world;
    probe(world);
    world.isCircuitUp = false;
    ada.act((sessions, now) => { sessions.dropPath(id, circuitOfAda, now); });
    talk(world, 30_000, 'direct');
    expect([ada.only.address, ...ada.of('silent'), ...ben.of('silent')]).toEqual([ben.address]);
    expect(net.nodes.length).toBe(2);
  });

  it('becomes silent when every path is dead', () => {
    const world = meet(6);
    probe(world);
    world.isCircuitUp = false;
    world.direct = () => [];
    talk(world, 25_000, 'nowhere');
    expect(world.ada.of('silent').length).toBe(1);
    expect(world.ada.sessions.paths(world.id, world.net.now).filter(({ isDoubtful }) => !isDoubtful)).toEqual([]);
  });

  it('is back by the circuit at once when the network changed, and follows the other side to its new address', () => {
    const world = meet(7);
    const { ada, ben, net } = world;
    probe(world);
    const moved = { host: '198.51.100.9', port: 7_777 };
    ada.address = moved;
    world.direct = ({ to }) => (to.host === '10.0.0.1' ? [] : [{}]);
    ada.act((sessions, now) => { sessions.networkChanged(now); });
    const { sent, longestGapMs } = talk(world, 3_000, 'after');
    expect(ben.frames).toEqual(sent);
    expect(longestGapMs).toBeLessThanOrEqual(300);
    net.run(3_000);
    expect(ben.only.address).toEqual(moved);
  });

  it('gives an address that has not answered no more than came from it', () => {
    const world = meet(8);
    const { ada, ben, net } = world;
    const victim = { host: '192.0.2.66', port: 666 };
    // Datagrams of Ada's that never arrived are shown from the victim's address.
    const kept: Uint8Array[] = [];
    world.direct = (packet) => { if (sameAddress(packet.to, ben.address)) kept.push(packet.datagram.slice()); return []; };
    for (let round = 0; round < 20; round += 1) ada.act((sessions, now) => { sessions.probe(world.id, ben.address, now); });
    net.run(100);
    for (const datagram of kept) net.inject(victim, ben.address, datagram);
    net.run(10_000);
    const key = socketAddressKey(victim);
    expect(ben.sentTo.get(key) ?? 0).toBeGreaterThan(0);
    expect(ben.sentTo.get(key) ?? 0).toBeLessThanOrEqual(ben.receivedFrom.get(key) ?? 0);
    expect(ben.only.address).toEqual(circuitOfBen);
  });

  it('keeps no more addresses than it should, whatever the other side shows', () => {
    const world = meet(9);
    const { ada, ben, net } = world;
    let port = 1;
    world.direct = (packet) => { port += 1; return sameAddress(packet.to, ben.address) ? [{ from: { host: '192.0.2.1', port } }] : []; };
    for (let round = 0; round < 200; round += 1) { ada.act((sessions, now) => { sessions.probe(world.id, ben.address, now); }); net.run(10); }
    talk(world, 1_000, 'still');
    expect(ben.only.address).toEqual(circuitOfBen);
    net.run(20_000);
    expect(ben.sessions.paths(ben.only.id, net.now).length).toBe(1);
  });

  it('stays in its circuit where one side wants to be hidden, whatever the other sends', () => {
    const world = meet(11);
    const { ada, ben, net } = world;
    const hidden = { ...ada.configuration, mayUse: isCircuitAddress };
    Object.assign(ada.sessions, { configuration: hidden });
    const before = ada.sentTo.get(socketAddressKey(ben.address)) ?? 0;
    for (let round = 0; round < 5; round += 1) probe(world);
    const { sent } = talk(world, 2_000, 'hidden');
    expect(ben.frames).toEqual(sent);
    expect([ada.only.address, ben.only.address]).toEqual([circuitOfAda, circuitOfBen]);
    expect(ada.sentTo.get(socketAddressKey(ben.address)) ?? 0).toBe(before);
    net.run(10_000);
    expect(ada.sessions.paths(world.id, net.now).length).toBe(1);
  });

  it('goes directly between two routers that let everybody in and give each conversation its own port, without chasing ports', () => {
    const world = meet(12);
    const { ada, ben, net, id } = world;
    const ports = new Map<string, number>();
    const outer = (from: SocketAddress, to: SocketAddress): SocketAddress => {
      const key = `${from.host} ${socketAddressKey(to)}`;
      ports.set(key, ports.get(key) ?? 20_000 + ports.size);
      return { host: from.host, port: ports.get(key) ?? 0 };
    };
    let direct = 0;
    world.direct = ({ from, to }) => { direct += 1; return [{ from: outer(from, to), to: to.host === ada.address.host ? ada.address : ben.address }]; };
    // What each learned of the other are ports that relays see: all ports are open, and none of these is what the other is heard from.
    const seen = { ada: { host: ada.address.host, port: 9_001 }, ben: { host: ben.address.host, port: 9_002 } };
    ada.act((sessions, now) => { sessions.probe(id, seen.ben, now); });
    ben.act((sessions, now) => { sessions.probe(ben.only.id, seen.ada, now); });
    net.run(5_000);
    expect(direct).toBeLessThan(40);
    const before = direct;
    const { sent } = talk(world, 10_000, 'direct');
    expect(ben.frames).toEqual(sent);
    expect([isCircuitAddress(ada.only.address), isCircuitAddress(ben.only.address)]).toEqual([false, false]);
    expect(direct - before).toBeLessThan(300);
    expect(ports.size).toBeLessThan(16);
  });

  it('makes new keys by the path that it has', () => {
    const world = meet(10);
    const { ada, ben, net } = world;
    probe(world);
    world.isCircuitUp = false;
    ada.act((sessions, now) => { sessions.dropPath(world.id, circuitOfAda, now); });
    net.run(3_700_000);
    const { sent } = talk(world, 2_000, 'new keys');
    expect(ben.frames.slice(-sent.length)).toEqual(sent);
    expect([...ada.of('silent'), ...ben.of('closed')]).toEqual([]);
    expect(ada.only.establishedMs).toBeGreaterThan(3_000_000);
  });
});
