/** Going over TCP where UDP does not pass, and leaving it again. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { UdpMemory } from '../overlay/udp-memory.ts';
import { acceptedTcpAddress, isTcpAddress, tcpAddress } from '../wire/tcp-address.ts';
import type { SocketAddress } from '../wire/types.ts';
import { answerFrame, createPair, textFrame, type Pair } from './testing.ts';
import type { DialOptions, SessionConfiguration, SessionId } from './types.ts';

const connectMs = 60;

/** A visor and a relay with two ways between them, either of which may be shut. */
class TwoWays {
  readonly pair: Pair;
  readonly memory: UdpMemory;
  readonly around: SocketAddress;
  udp = true;
  tcp = true;
  /** Numbers the connections: another one is another address to the relay. */
  connection = 1;
  /** By way: datagrams that the visor sent. */
  readonly sent = { udp: 0, tcp: 0 };
  memoryChanges = 0;

  constructor(seed: number, change: { readonly visor?: Partial<SessionConfiguration>; readonly relay?: Partial<SessionConfiguration> } = {}) {
    this.memory = new UdpMemory(() => { this.memoryChanges += 1; });
    this.pair = createPair(seed, crypto, { ...change, visor: { detour: this.memory, ...change.visor } });
    const { net, visor, relay } = this.pair;
    this.around = tcpAddress(relay.address.host, 443);
    net.hook = ({ to, from }) => {
      if (from === visor.address) this.sent[isTcpAddress(to) ? 'tcp' : 'udp'] += 1;
      if (!isTcpAddress(to)) return this.udp ? undefined : [];
      const isCurrent = from === visor.address || to.host === this.accepted.host;
      if (!this.tcp || !isCurrent) return [];
      return from === visor.address ? [{ to: relay.address, from: this.accepted, delayMs: connectMs }] : [{ to: visor.address, from: this.around }];
    };
  }

  get accepted(): SocketAddress { return acceptedTcpAddress(this.pair.visor.address.host, 50_000, this.connection); }

  dial(options: Partial<DialOptions> = {}): SessionId { return this.pair.visor.dial(this.pair.relay, { around: this.around, ...options }); }

  get isOverTcp(): boolean { return isTcpAddress(this.pair.visor.only.address); }
  get isOverTcpThere(): boolean { return isTcpAddress(this.pair.relay.only.address); }

  /** The connection breaks, and the host makes another one. */
  reset(): void {
    this.connection += 1;
    this.pair.visor.act((sessions, now) => { sessions.connectionLost(this.around, now); });
  }

  /** Both ways, a letter. */
  talks(): boolean {
    const { net, visor, relay } = this.pair;
    const before = [visor.frames.length, relay.frames.length];
    visor.send(visor.only.id, answerFrame('up', net.random));
    relay.send(relay.only.id, answerFrame('down', net.random));
    net.run(300);
    return visor.frames.length === (before[0] ?? 0) + 1 && relay.frames.length === (before[1] ?? 0) + 1;
  }
}

describe('a dial', () => {
  it('that UDP answers sends nothing over TCP', () => {
    const ways = new TwoWays(1);
    ways.dial();
    ways.pair.net.run(60_000);
    expect([ways.isOverTcp, ways.sent.tcp, ways.memory.headStartMs()]).toEqual([false, 0, 2_000]);
  });

  it.each([[true, true], [true, false], [false, true], [false, false]])('where UDP does not pass goes over TCP after 300 ms (key known: %s, anonymous: %s)', (isKnown, anonymous) => {
    const ways = new TwoWays(2);
    ways.udp = false;
    const startMs = ways.pair.net.ms;
    ways.dial({ anonymous, ...(isKnown ? {} : { remoteStatic: undefined }) });
    ways.pair.net.run(290);
    expect(ways.sent.tcp).toBe(0);
    ways.pair.net.run(3_000);
    expect([ways.isOverTcp, ways.isOverTcpThere, ways.talks()]).toEqual([true, true, true]);
    const [established] = ways.pair.visor.of('established');
    expect((established?.atMs ?? Infinity) - startMs).toBeLessThan(isKnown ? 700 : 1_500);
  });

  it('in a network that is known to let no UDP pass goes over TCP at once', () => {
    const ways = new TwoWays(3);
    ways.udp = false;
    ways.memory.didNotPass();
    ways.dial();
    ways.pair.net.run(200);
    expect(ways.isOverTcp).toBe(true);
  });

  it('whose first datagrams are lost comes back to UDP within seconds', () => {
    const ways = new TwoWays(4);
    ways.udp = false;
    ways.dial();
    ways.pair.net.run(500);
    expect(ways.isOverTcp).toBe(true);
    ways.udp = true;
    ways.pair.net.run(3_000);
    expect([ways.isOverTcp, ways.isOverTcpThere, ways.memory.isBlocked]).toEqual([false, false, false]);
    expect(ways.talks()).toBe(true);
  });

  it('that nobody answers goes on both ways', () => {
    const ways = new TwoWays(5);
    ways.udp = false;
    ways.tcp = false;
    ways.dial();
    ways.pair.net.run(60_000);
    expect(ways.sent.udp).toBeGreaterThan(8);
    expect(ways.sent.tcp).toBeGreaterThan(8);
    ways.tcp = true;
    ways.pair.net.run(10_000);
    expect(ways.isOverTcp).toBe(true);
  });
});

describe('a session over TCP', () => {
  const blocked = (seed: number): TwoWays => {
    const ways = new TwoWays(seed);
    ways.udp = false;
    ways.dial();
    ways.pair.net.run(10_000);
    return ways;
  };

  it('asks over UDP twice in half a minute, and remembers that it does not pass', () => {
    const ways = blocked(11);
    expect([ways.isOverTcp, ways.memory.isBlocked, ways.memoryChanges]).toEqual([true, true, 1]);
    const before = ways.sent.udp;
    ways.pair.net.run(33_500);
    expect(ways.sent.udp - before).toBe(2);
    expect([...ways.pair.visor.of('silent'), ...ways.pair.visor.of('restarted'), ...ways.pair.relay.of('restarted'), ...ways.pair.relay.of('closed')]).toEqual([]);
  });

  it('is back on UDP when that passes again, with the same session on both sides', () => {
    const ways = blocked(12);
    const { net, visor, relay } = ways.pair;
    const sessions = [visor.only.id, relay.only.id];
    ways.udp = true;
    for (let count = 0; count < 40; count += 1) {
      visor.send(visor.only.id, textFrame(`up ${String(count)}`, net.random));
      relay.send(relay.only.id, textFrame(`down ${String(count)}`, net.random));
      net.run(1_000);
    }
    expect([ways.isOverTcp, ways.isOverTcpThere, ways.memory.isBlocked]).toEqual([false, false, false]);
    expect([visor.only.id, relay.only.id]).toEqual(sessions);
    expect(visor.frames).toEqual(Array.from({ length: 40 }, (_, index) => `down ${String(index)}`));
    expect(relay.frames).toEqual(Array.from({ length: 40 }, (_, index) => `up ${String(index)}`));
    expect(visor.of('moved').length).toBe(1);
    expect([...visor.of('silent'), ...visor.of('restarted'), ...relay.of('restarted')]).toEqual([]);
  });

  it('is back on UDP at once where the network changes to one that lets it pass', () => {
    const ways = blocked(13);
    ways.udp = true;
    ways.connection += 1;
    ways.pair.visor.act((sessions, now) => { ways.memory.enter('another'); sessions.networkChanged(now); });
    ways.pair.net.run(300);
    expect([ways.isOverTcp, ways.isOverTcpThere]).toEqual([false, false]);
    expect(ways.talks()).toBe(true);
  });

  it('costs a connection for each reset, and no session', () => {
    const ways = blocked(14);
    const { net, visor, relay } = ways.pair;
    for (let count = 0; count < 20; count += 1) {
      ways.reset();
      net.run(400);
      expect([relay.only.address, ways.talks()]).toEqual([ways.accepted, true]);
    }
    expect([...visor.of('silent'), ...visor.of('restarted'), ...relay.of('restarted'), ...visor.of('closed'), ...relay.of('closed')]).toEqual([]);
    expect(relay.sessions.establishedCount).toBe(1);
  });

  it('with a relay that was started anew and has forgotten it is made anew over TCP', () => {
    const ways = blocked(16);
    const { net, visor, relay } = ways.pair;
    relay.restart();
    visor.send(visor.only.id, textFrame('still there?', net.random));
    net.run(1_500);
    expect([visor.of('restarted').length, ways.isOverTcp, visor.of('silent'), relay.sessions.establishedCount]).toEqual([1, true, [], 1]);
  });

  it('does not make UDP blocked where another relay answers by it', () => {
    const ways = new TwoWays(17);
    const { net, visor, relay } = ways.pair;
    const second = net.add('second');
    const { hook } = net;
    // The first relay alone is not reached over UDP.
    net.hook = (packet) => (packet.to === second.address || packet.from === second.address ? undefined : packet.to === relay.address || packet.to === visor.address ? [] : hook?.(packet));
    visor.dial(second, { around: tcpAddress(second.address.host, 443) });
    ways.dial();
    net.run(70_000);
    expect(visor.live.map(({ address }) => isTcpAddress(address))).toEqual([false, true]);
    expect([ways.memory.isBlocked, ways.memory.headStartMs()]).toEqual([false, 2_000]);
  });

  it('whose connection is dead and UDP too tries both until one answers', () => {
    const ways = blocked(15);
    ways.tcp = false;
    ways.reset();
    ways.pair.net.run(30_000);
    expect(ways.pair.visor.of('silent').length).toBe(1);
    ways.udp = true;
    ways.pair.net.run(10_000);
    expect([ways.isOverTcp, ways.talks()]).toEqual([false, true]);
  });

  it('that is asking over UDP while TCP dies still comes back', () => {
    for (let seed = 100; seed < 130; seed += 1) {
      const ways = blocked(seed);
      ways.pair.net.run(seed * 337 % 30_000);
      ways.tcp = false;
      ways.pair.net.run(20_000);
      ways.tcp = true;
      ways.pair.net.run(10_000);
      expect([seed, ways.pair.visor.live.length, ways.isOverTcp, ways.talks()]).toEqual([seed, 1, true, true]);
    }
  });
});

describe('UDP that dies in mid-conversation', () => {
  it('leads the session to TCP within three seconds and a half, and no letter is lost or doubled that is asked for again', () => {
    const ways = new TwoWays(21);
    const { net, visor, relay } = ways.pair;
    ways.dial();
    net.run(5_000);
    const sessions = [visor.only.id, relay.only.id];
    ways.udp = false;
    const atMs = net.ms;
    // As the layer above does: each is sent again until it is answered.
    const letter = textFrame('letter', net.random);
    for (let count = 0; count < 10 && relay.frames.length === 0; count += 1) { visor.send(visor.only.id, letter); net.run(500); }
    expect(visor.of('moved').at(-1)?.atMs ?? Infinity).toBeLessThan(atMs + 3_500);
    expect([ways.isOverTcp, ways.talks(), relay.frames[0]]).toEqual([true, true, 'letter']);
    expect([visor.only.id, relay.only.id]).toEqual(sessions);
    expect([...visor.of('silent'), ...visor.of('restarted'), ...relay.of('restarted')]).toEqual([]);
  });

  it('for a moment leads nowhere', () => {
    const ways = new TwoWays(22);
    const { net, visor } = ways.pair;
    ways.dial();
    net.run(5_000);
    ways.udp = false;
    visor.send(visor.only.id, textFrame('letter', net.random));
    net.run(1_700);
    ways.udp = true;
    net.run(60_000);
    expect([ways.isOverTcp, visor.of('moved')]).toEqual([false, []]);
    expect(ways.sent.tcp).toBeLessThanOrEqual(1);
  });

  it('is noticed by what goes through a circuit, which nobody answers at once', () => {
    const ways = new TwoWays(24);
    const { net, visor } = ways.pair;
    ways.dial();
    net.run(5_000);
    ways.udp = false;
    visor.send(visor.only.id, new Uint8Array(200).fill(3));
    net.run(4_000);
    expect([ways.isOverTcp, ways.talks()]).toEqual([true, true]);
  });

  it('and what one session finds out, another looks into at once', () => {
    const ways = new TwoWays(25);
    const { net, visor } = ways.pair;
    const second = net.add('second');
    const aroundSecond = tcpAddress(second.address.host, 443);
    const { hook } = net;
    net.hook = (packet) => {
      if (packet.to.host === aroundSecond.host) return [{ to: second.address, from: ways.accepted }];
      if (packet.from === second.address && isTcpAddress(packet.to)) return [{ to: visor.address, from: aroundSecond }];
      return hook?.(packet);
    };
    ways.dial();
    visor.dial(second, { around: aroundSecond });
    net.run(5_000);
    const over = (): boolean[] => visor.live.map(({ address }) => isTcpAddress(address));
    ways.udp = false;
    visor.send(visor.live[0]?.id ?? 0, textFrame('letter', net.random));
    net.run(7_000);
    expect(over()).toEqual([true, true]);
    net.run(40_000);
    ways.udp = true;
    for (let waited = 0; over().every((isOver) => isOver) && waited < 31_000; waited += 100) net.run(100);
    net.run(300);
    expect(over()).toEqual([false, false]);
  });

  it('is noticed by an idle session with its next keepalive', () => {
    const ways = new TwoWays(23);
    ways.dial();
    ways.pair.net.run(5_000);
    ways.udp = false;
    ways.pair.net.run(34_000);
    expect([ways.isOverTcp, ways.talks()]).toEqual([true, true]);
  });
});

describe('ways that come and go', () => {
  it('leave one session in the end, by the way that is there, and nothing behind', () => {
    for (let seed = 1_000; seed < 1_024; seed += 1) {
      const ways = new TwoWays(seed);
      const { net, visor, relay } = ways.pair;
      const draw = (below: number): number => (((net.random(1)[0] ?? 0) << 8) | (net.random(1)[0] ?? 0)) % below;
      ways.dial({ anonymous: seed % 3 === 0 });
      for (let step = 0; step < 30; step += 1) {
        switch (draw(8)) {
          case 0: ways.udp = !ways.udp; break;
          case 1: ways.tcp = !ways.tcp; break;
          case 2: ways.reset(); break;
          case 3: ways.connection += 1; visor.act((sessions, now) => { ways.memory.enter(String(draw(3))); sessions.networkChanged(now); }); break;
          case 4: visor.address = { host: visor.address.host, port: 4_000 + draw(3) }; break;
          default: for (const { id } of visor.live) visor.send(id, textFrame('x', net.random));
        }
        net.run(draw(12_000));
      }
      ways.udp = true;
      ways.tcp = true;
      net.run(60_000);
      expect([seed, visor.live.length, ways.isOverTcp, ways.talks(), relay.sessions.establishedCount]).toEqual([seed, 1, false, true, 1]);
      ways.udp = false;
      net.run(45_000);
      expect([seed, visor.live.length, ways.isOverTcp, ways.talks()]).toEqual([seed, 1, true, true]);
      expect([seed, visor.sessions.tableSizes().links, relay.sessions.tableSizes().links, visor.of('closed')]).toEqual([seed, 1, 1, []]);
    }
  }, 120_000);
});

describe('somebody else', () => {
  it('behind the port ends no dial: UDP goes on, and nobody goes there again soon', () => {
    const ways = new TwoWays(31);
    const { net, visor } = ways.pair;
    const other = net.add('other');
    ways.udp = false;
    net.hook = ({ to, from }) => {
      if (!isTcpAddress(to)) return ways.udp ? undefined : [];
      ways.sent.tcp += 1;
      return from === visor.address ? [{ to: other.address, from: ways.accepted }] : [{ to: visor.address, from: ways.around }];
    };
    const id = ways.dial({ remoteStatic: undefined });
    net.run(20_000);
    expect([visor.of('closed'), visor.live]).toEqual([[], []]);
    const sent = ways.sent.tcp;
    net.run(60_000);
    expect(ways.sent.tcp).toBe(sent);
    // Now and then it is tried again, and never counted.
    net.run(5 * 605_000);
    expect([visor.of('closed'), visor.live, ways.sent.tcp > sent]).toEqual([[], [], true]);
    ways.udp = true;
    net.run(10_000);
    expect([visor.only.id, ways.isOverTcp]).toEqual([id, false]);
  });

  it('who copies the answers over UDP, or forges them, leads nobody away from TCP', () => {
    const ways = new TwoWays(32);
    const { net, visor, relay } = ways.pair;
    ways.udp = false;
    const { hook } = net;
    net.hook = (packet) => {
      const fates = hook?.(packet);
      return packet.from === relay.address && isTcpAddress(packet.to) ? [...fates ?? [], { to: visor.address, from: relay.address, delayMs: 30 }, { to: visor.address, from: { host: '192.0.2.66', port: 666 }, delayMs: 35 }] : fates;
    };
    ways.dial();
    net.run(20_000);
    expect([ways.isOverTcp, ways.talks(), visor.of('silent')]).toEqual([true, true, []]);
    expect(visor.drops()['replayed']).toBeGreaterThan(2);
  });
});
