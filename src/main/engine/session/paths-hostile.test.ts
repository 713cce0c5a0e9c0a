/** Sessions with several paths, and what others could make of those: who speaks from an address that is somebody's path, and times that are no whole numbers. */
import { describe, expect, it } from 'vitest';
import { circuitAddress, isCircuitAddress } from '../circuits/tunnel.ts';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { pathsMaximum, probeLifetimeMs } from './path-constants.ts';
import { responderIdleMs } from './constants.ts';
import { sameAddress, socketAddressKey, type SocketAddress } from '../wire/types.ts';
import { answerFrame, connectedPair, Net, type Node } from './testing.ts';

const circuitOfAda = circuitAddress(7, 1);
const circuitOfBen = circuitAddress(9, 2);
const tierOf = (address: SocketAddress): number => (isCircuitAddress(address) ? 2 : 1);

interface World { readonly net: Net; readonly ada: Node; readonly ben: Node; readonly id: number }

/** Ada has dialled Ben by a circuit, and both have found a direct path. */
function meet(seed: number): World {
  const net = new Net(seed, crypto);
  const ada = net.add('ada', { listening: false, inCircuits: true, tierOf });
  const ben = net.add('ben', { listening: false, inCircuits: true, tierOf });
  net.hook = ({ to }) => {
    if (!isCircuitAddress(to)) return undefined;
    const isToBen = sameAddress(to, circuitOfAda);
    return [{ to: isToBen ? ben.address : ada.address, from: isToBen ? circuitOfBen : circuitOfAda, delayMs: 40 }];
  };
  const id = ada.dial(ben, { address: circuitOfAda });
  net.run(1_000);
  ada.act((sessions, now) => { sessions.probe(id, ben.address, now); });
  ben.act((sessions, now) => { sessions.probe(ben.only.id, ada.address, now); });
  net.run(1_000);
  return { net, ada, ben, id };
}

describe('an address that is the path of a session', () => {
  it.each(['with the known key', 'without it'])('lets nobody else begin a session from there (%s)', (how) => {
    const { net, ada, ben } = meet(1);
    expect(ben.only.address).toEqual(ada.address);
    const before = ben.sessions.tableSizes().links;
    for (let round = 0; round < 5; round += 1) {
      // Another device behind the same address, such as a second program of Ada's.
      const stranger = net.add(`stranger${String(round)}`, { listening: false });
      stranger.address = ada.address;
      net.nodes.splice(net.nodes.indexOf(ada), 1);
      stranger.dial(ben, how === 'with the known key' ? {} : { remoteStatic: undefined, anonymous: true });
      net.run(2_000);
      expect(stranger.live.length).toBeLessThanOrEqual(1);
      stranger.isDown = true;
      net.nodes.splice(net.nodes.indexOf(stranger), 1, ada);
    }
    net.run(500);
    expect(ben.sessions.tableSizes().links).toBe(before);
    expect(ben.of('established').length).toBe(1);
  });
});

describe('somebody who answers at many addresses', () => {
  const elsewhere = (index: number): SocketAddress => ({ host: '198.51.100.9', port: 1_000 + index });

  it('has as many paths as a session has, and loses none of those that carry it', () => {
    const { net, ada, ben, id } = meet(3);
    const before = net.hook;
    net.hook = (packet) => (packet.to.host === '198.51.100.9' ? [{ to: ben.address }] : before?.(packet));
    for (let index = 0; index < 40; index += 1) {
      ada.act((sessions, now) => { sessions.probe(id, elsewhere(index), now); });
      net.run(200);
    }
    const paths = ada.sessions.paths(id, net.now);
    expect(paths.length).toBeLessThanOrEqual(pathsMaximum);
    expect(paths.some(({ address }) => isCircuitAddress(address))).toBe(true);
    expect(paths.filter(({ isCurrent }) => isCurrent).length).toBe(1);
  });

  it('is found where they went, when all of those have fallen silent', () => {
    const { net, ada, ben, id } = meet(4);
    const before = net.hook;
    let isMoved = false;
    net.hook = (packet) => {
      const isToBen = packet.to.host === '198.51.100.9';
      if (isMoved && ((isToBen && packet.to.port < 1_100) || sameAddress(packet.to, ben.address) || isCircuitAddress(packet.to))) return [];
      return isToBen ? [{ to: ben.address }] : before?.(packet);
    };
    for (let index = 0; index < 40; index += 1) ada.act((sessions, now) => { sessions.probe(id, elsewhere(index), now); });
    net.run(1_000);
    isMoved = true;
    ada.act((sessions, now) => { sessions.networkChanged(now); });
    ada.act((sessions, now) => { sessions.probe(id, elsewhere(200), now); });
    net.run(500);
    expect(ada.only.address).toEqual(elsewhere(200));
  });
});

describe('times between two milliseconds', () => {
  /** Not before `fromMs`, and such that the difference is less than what was added. */
  const oddMs = (fromMs: number, lifetimeMs: number): number => {
    for (let tries = 0; tries < 100_000; tries += 1) {
      const ms = fromMs + tries * 1.000_730_19;
      if (ms + lifetimeMs - ms < lifetimeMs) return ms;
    }
    throw new Error('there is no such time');
  };

  it('end the wait for an address that never answered', () => {
    const { net, ada, ben, id } = meet(2);
    const victim = { host: '192.0.2.66', port: 666 };
    net.ms = oddMs(net.ms, probeLifetimeMs);
    net.hook = () => [];
    ada.act((sessions, now) => { sessions.probe(id, { host: '192.0.2.1', port: 1 }, now); });
    const sent = net.log.at(-1);
    if (sent === undefined) throw new Error('nothing was sent');
    ben.receive(victim, sent.datagram.slice());
    expect(ben.sentTo.get(socketAddressKey(victim))).toBeGreaterThan(0);
    net.ms += probeLifetimeMs;
    ben.act((sessions, now) => { sessions.handleTimeout(now); });
    expect(ben.sessions.pollTimeout()?.atMs).toBeGreaterThan(net.ms);
  });

  it('end a session in which nobody says anything', () => {
    const { net, visor, relay, id } = connectedPair(3);
    net.ms = oddMs(net.ms, responderIdleMs);
    net.hook = () => [];
    visor.send(id, answerFrame('last', net.random));
    const sent = net.log.at(-1);
    if (sent === undefined) throw new Error('nothing was sent');
    relay.receive(visor.address, sent.datagram.slice());
    net.ms += responderIdleMs;
    relay.act((sessions, now) => { sessions.handleTimeout(now); });
    expect(relay.of('closed').map(({ reason }) => reason)).toEqual(['idle']);
  });
});
