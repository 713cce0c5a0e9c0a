import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { seededRandom } from '../session/testing.ts';
import { decodeLanAnnouncement } from '../wire/lan-announcement.ts';
import type { KeyPair } from '../crypto.ts';
import type { Instant, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import { LanDiscovery } from './lan-discovery.ts';
import { lanEpochMs } from './lan-tags.ts';
import type { LanContact } from './lan-tags.ts';
import type { LanNetwork } from './lan-network.ts';

const wallStartMs = 1_800_000_000_000;
const home: LanNetwork = { gateway: '192.168.7.1', gatewayMac: undefined, prefix: '192.168.7.0/24' };

interface Said { readonly from: SocketAddress; readonly to: SocketAddress | 'all'; readonly datagram: Uint8Array; readonly atMs: number }

class Lan {
  readonly members: Member[] = [];
  readonly said: Said[] = [];
  /** False loses it. */
  passes: (said: Said) => boolean = () => true;
  ms = 0;

  add(name: string, seed: number, host: string): Member {
    const member = new Member(this, name, seed, { host, port: 4_000 + seed });
    this.members.push(member);
    return member;
  }

  say(said: Said): void {
    this.said.push(said);
    if (this.passes(said)) this.deliver(said);
  }

  deliver({ from, to, datagram }: Said): void {
    for (const member of this.members) {
      if (to === 'all') member.lan.handleDatagram({ host: from.host, port: 40_000 }, datagram.slice(), 'group', member.now);
      else if (to.host === member.address.host && to.port === member.address.port) member.lan.handleDatagram(from, datagram.slice(), 'main', member.now);
    }
  }

  run(forMs: number): void {
    const endMs = this.ms + forMs;
    for (;;) {
      const nextMs = Math.min(...this.members.map(({ lan }) => lan.pollTimeout()?.atMs ?? Infinity));
      if (nextMs > endMs) break;
      this.ms = Math.max(this.ms, nextMs);
      for (const member of this.members) member.lan.handleTimeout(member.now);
    }
    this.ms = endMs;
  }
}

class Member {
  readonly net: Lan;
  readonly name: PublicKeyHex;
  readonly keys: KeyPair;
  readonly address: SocketAddress;
  readonly lan: LanDiscovery;
  readonly contacts: LanContact[] = [];
  readonly near = new Set<PublicKeyHex>();
  readonly found: string[] = [];
  readonly counts = new Map<string, number>();
  isWanted = true;
  untrusted: readonly LanNetwork[] = [];
  skewMs = 0;

  constructor(net: Lan, name: string, seed: number, address: SocketAddress) {
    const random = seededRandom(seed);
    const secretKey = random(32);
    this.net = net;
    this.name = name;
    this.address = address;
    this.keys = { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
    this.lan = new LanDiscovery({
      crypto, random, ownKeys: () => this.keys, contacts: () => this.contacts, isWanted: () => this.isWanted, untrusted: () => this.untrusted, isNear: (publicKey) => this.near.has(publicKey),
      found: (publicKey, at, isNew) => { this.found.push(`${publicKey} ${at.host}:${String(at.port)}${isNew ? ' new' : ''}`); },
      announce: (host, datagram) => { net.say({ from: { host, port: 40_000 }, to: 'all', datagram, atMs: net.ms }); },
      transmit: (to, datagram) => { net.say({ from: address, to, datagram, atMs: net.ms }); },
      wallMs: (now) => now.wallMs,
      count: (counter) => { this.counts.set(counter, (this.counts.get(counter) ?? 0) + 1); },
    });
  }

  get now(): Instant { return { monotonicMs: this.net.ms, wallMs: wallStartMs + this.net.ms + this.skewMs }; }
  knows(...others: readonly Member[]): void { for (const { name, keys } of others) this.contacts.push({ publicKey: name, deviceKey: keys.publicKey }); }
  plugIn(host = this.address.host): void { this.lan.handleFacts({ port: this.address.port, interfaces: [{ host, prefixBits: 24 }], networks: [home] }, this.now); }
  at(other: Member): SocketAddress | undefined { return this.lan.at(other.name, this.now); }
}

interface Friends { readonly net: Lan; readonly ada: Member; readonly ben: Member; readonly eve: Member }

/** Ada and Ben are contacts of each other; Eve would like to be, and says so of both. */
function friends(): Friends {
  const net = new Lan();
  const [ada, ben, eve] = [net.add('ada', 1, '192.168.7.11'), net.add('ben', 2, '192.168.7.12'), net.add('eve', 3, '192.168.7.66')];
  ada.knows(ben);
  ben.knows(ada);
  eve.knows(ada, ben);
  return { net, ada, ben, eve };
}

const fromOf = (net: Lan, { address }: Member): readonly Said[] => net.said.filter(({ from }) => from.host === address.host);
const questions = (net: Lan, member: Member): readonly Said[] => fromOf(net, member).filter(({ to }) => to === 'all');

describe('contacts in one local network', () => {
  it('see each other as soon as the second asks, and one of them is to begin', () => {
    const { net, ada, ben } = friends();
    ada.plugIn();
    net.run(30_000);
    ben.plugIn();
    net.run(1_000);
    expect([ada.at(ben), ben.at(ada)]).toEqual([ben.address, ada.address]);
    expect([ada.found, ben.found]).toEqual([['ben 192.168.7.12:4002'], ['ada 192.168.7.11:4001 new']]);
    expect([ada.lan.foundCount(ada.now), ada.lan.state]).toEqual([1, 'on']);
  });

  it('do so although most of what goes to everybody is lost', () => {
    const { net, ada, ben } = friends();
    let count = 0;
    net.passes = ({ to }) => to !== 'all' || (count += 1) % 4 === 0;
    ada.plugIn();
    ben.plugIn();
    net.run(20_000);
    expect([ada.at(ben), ben.at(ada)]).toEqual([ben.address, ada.address]);
  });

  it('are expected at their address and nowhere else, and nobody else there', () => {
    const { net, ada, ben } = friends();
    ada.plugIn();
    ben.plugIn();
    net.run(1_000);
    expect(ada.lan.expects(ben.address, undefined, ada.now)).toBe(true);
    expect(ada.lan.expects(ben.address, 'ben', ada.now)).toBe(true);
    expect(ada.lan.expects(ben.address, 'eve', ada.now)).toBe(false);
    expect(ada.lan.expects({ ...ben.address, port: 9 }, 'ben', ada.now)).toBe(false);
    ada.lan.forget('ben', ben.address);
    expect([ada.at(ben), ada.lan.expects(ben.address, 'ben', ada.now)]).toEqual([undefined, false]);
  });

  it('knock before they come, so that who missed the question expects them', () => {
    const { net, ada, ben } = friends();
    net.passes = ({ to }) => to !== 'all';
    ada.plugIn();
    ben.plugIn();
    net.run(10_000);
    expect(ada.at(ben)).toBeUndefined();
    ben.lan.knock('ada', ada.address, ben.now);
    expect(ada.lan.expects(ben.address, 'ben', ada.now)).toBe(true);
    expect(ada.found).toEqual([]);
  });

  it('find each other with clocks that differ by a quarter of an hour, and not by an hour', () => {
    for (const [skewMs, isFound] of [[-lanEpochMs, true], [lanEpochMs, true], [4 * lanEpochMs, false]] as const) {
      const { net, ada, ben } = friends();
      ben.skewMs = skewMs;
      ada.plugIn();
      ben.plugIn();
      net.run(30_000);
      expect([ada.at(ben) !== undefined, ben.at(ada) !== undefined]).toEqual([isFound, isFound]);
    }
  });

  it('ask seldom while somebody is missing, soon when somebody is looked for, and not at all when all are near', () => {
    const { net, ada, ben } = friends();
    ada.plugIn();
    net.run(20 * 60_000);
    const before = questions(net, ada).length;
    expect(before).toBeGreaterThan(9);
    expect(before).toBeLessThanOrEqual(24);
    for (let count = 0; count < 50; count += 1) { ada.lan.seek(ada.now); net.run(200); }
    const sought = questions(net, ada).length - before;
    expect(sought).toBeGreaterThanOrEqual(2);
    expect(sought).toBeLessThanOrEqual(4);
    ada.near.add(ben.name);
    net.run(120_000);
    const near = questions(net, ada).length;
    net.run(600_000);
    expect(questions(net, ada).length).toBe(near);
  });
});

describe('what others learn', () => {
  it('is nothing from tags: none comes twice in two quarters of an hour, and none of those who are no contacts is answered', () => {
    const { net, ada, eve } = friends();
    ada.plugIn();
    eve.plugIn();
    net.run(3 * lanEpochMs);
    const tagsOf = (said: Said): readonly string[] => decodeLanAnnouncement(said.datagram)?.entries.map(({ tag }) => String(tag)) ?? [];
    const [first, last] = [questions(net, ada)[0], questions(net, ada).at(-1)];
    if (first === undefined || last === undefined) throw new Error('Ada was to ask');
    expect(tagsOf(first).filter((tag) => tagsOf(last).includes(tag))).toEqual([]);
    expect(net.said.filter(({ to }) => to !== 'all')).toEqual([]);
    expect([ada.found, eve.found, ada.at(eve), eve.at(ada)]).toEqual([[], [], undefined, undefined]);
  });

  it('is nothing by saying again what a contact said, from another address, in another hour, or as another kind', () => {
    const { net, ada, ben, eve } = friends();
    ben.plugIn();
    net.passes = () => false;
    ada.plugIn();
    net.run(300);
    const [question] = questions(net, ada);
    if (question === undefined) throw new Error('Ada was to ask');
    net.passes = () => true;
    const before = net.said.length;
    net.deliver({ ...question, from: { host: eve.address.host, port: 40_000 } });
    net.deliver({ ...question, from: { host: '198.51.100.7', port: 40_000 } });
    net.deliver({ ...question, from: ada.address, to: ben.address });
    net.deliver({ ...question, from: ada.address, to: ben.address, datagram: Uint8Array.from(question.datagram, (byte, index) => (index === 2 ? 3 : byte)) });
    const otherPort = Uint8Array.from(question.datagram, (byte, index) => (index === 4 ? byte ^ 1 : byte));
    net.deliver({ ...question, datagram: otherPort });
    expect([net.said.length - before, ben.found, ben.at(ada)]).toEqual([0, [], undefined]);
    expect(ben.counts.get('lan.drop.unproved')).toBe(3);
    net.run(3 * lanEpochMs);
    ben.found.length = 0;
    const later = net.said.length;
    net.deliver(question);
    expect([net.said.length - later, ben.found]).toEqual([0, []]);
  });

  it('costs an answer a second and no more, sent to where the contact was, when it is said again and again', () => {
    const { net, ada, ben } = friends();
    ben.plugIn();
    ada.plugIn();
    net.run(300);
    const [question] = questions(net, ada);
    if (question === undefined) throw new Error('Ada was to ask');
    const before = fromOf(net, ben).length;
    for (let count = 0; count < 300; count += 1) { net.deliver(question); net.run(10); }
    const answers = fromOf(net, ben).slice(before).filter(({ to }) => to !== 'all');
    expect(answers.length).toBeLessThanOrEqual(4);
    expect(answers.every(({ to }) => to !== 'all' && to.host === ada.address.host)).toBe(true);
    // An answer is not longer than the question.
    expect(Math.max(...answers.map(({ datagram }) => datagram.length))).toBeLessThanOrEqual(question.datagram.length);
  });

  it('is no more by an answer that is said again: it counts once, and for ten seconds', () => {
    const { net, ada, ben } = friends();
    ada.plugIn();
    ben.plugIn();
    net.run(300);
    const answer = net.said.find(({ to }) => to !== 'all');
    if (answer === undefined || answer.to === 'all') throw new Error('somebody was to answer');
    const asker = answer.to.host === ada.address.host ? ada : ben;
    const found = asker.found.length;
    net.deliver(answer);
    net.deliver({ ...answer, from: { host: '192.168.7.66', port: 1 } });
    expect(asker.found.length).toBe(found);
    net.run(11_000);
    net.deliver(answer);
    expect(asker.found.filter((line) => line.endsWith('new')).length).toBeLessThanOrEqual(1);
    expect(asker.counts.get('lan.drop.unproved')).toBeGreaterThanOrEqual(2);
  });

  it('is bounded in work: a flood is not looked at, and rubbish is nothing', () => {
    const { net, ada, ben } = friends();
    ben.plugIn();
    const random = seededRandom(9);
    for (let count = 0; count < 3_000; count += 1) ben.lan.handleDatagram({ host: '192.168.7.66', port: 1 }, random(205 + (count % 3)), 'group', ben.now);
    expect(ben.counts.get('lan.drop.rate')).toBe(2_000);
    net.run(1_000);
    ada.plugIn();
    net.run(1_000);
    expect(ben.at(ada)).toEqual(ada.address);
  });
});

describe('a network', () => {
  it('in which nobody is to be looked for hears nothing, and gets no answer', () => {
    for (const turnOff of [(member: Member): void => { member.untrusted = [home]; }, (member: Member): void => { member.isWanted = false; }]) {
      const { net, ada, ben } = friends();
      turnOff(ben);
      ben.plugIn();
      ada.plugIn();
      net.run(300_000);
      ben.lan.seek(ben.now);
      net.run(10_000);
      expect(fromOf(net, ben)).toEqual([]);
      expect([ben.found, ben.lan.expects(ada.address, undefined, ben.now)]).toEqual([[], false]);
    }
  });

  it('that is trusted again is asked at once, and one that is not trusted any more is forgotten', () => {
    const { net, ada, ben } = friends();
    ben.untrusted = [home];
    ben.plugIn();
    ada.plugIn();
    net.run(20_000);
    expect(ben.lan.state).toBe('untrusted');
    ben.untrusted = [];
    ben.lan.settingsChanged(ben.now);
    net.run(1_000);
    expect([ben.lan.state, ben.at(ada)]).toEqual(['on', ada.address]);
    ben.untrusted = [{ ...home, gatewayMac: '02:00:00:00:00:01' }];
    ben.lan.settingsChanged(ben.now);
    expect([ben.lan.state, ben.at(ada)]).toEqual(['untrusted', undefined]);
  });

  it('of many contacts names them in turn, in datagrams of one length', () => {
    const net = new Lan();
    const ada = net.add('ada', 1, '192.168.7.11');
    const random = seededRandom(4);
    for (let count = 0; count < 250; count += 1) ada.contacts.push({ publicKey: `c${String(count)}`, deviceKey: crypto.x25519PublicKey(random(32)) });
    ada.plugIn();
    net.run(300);
    expect(net.said.map(({ datagram }) => datagram.length)).toEqual([1_165, 1_165, 1_165, 1_165]);
    net.run(2_000);
    const tags = new Set(net.said.flatMap(({ datagram }) => decodeLanAnnouncement(datagram)?.entries.map(({ tag }) => String(tag)) ?? []));
    expect(tags.size).toBe(250);
  });

  it('in which the machine is alone, or that is another one now, has nobody', () => {
    const { net, ada, ben } = friends();
    ada.plugIn();
    ben.plugIn();
    net.run(1_000);
    expect(ada.at(ben)).toEqual(ben.address);
    ada.lan.handleFacts({ port: undefined, interfaces: [], networks: [] }, ada.now);
    expect([ada.at(ben), ada.lan.state]).toEqual([undefined, 'no-network']);
  });
});
