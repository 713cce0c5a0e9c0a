/** Following a peer to a new address, and not following anybody else. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { socketAddressKey } from '../wire/types.ts';
import { answerFrame, connectedPair, textFrame, type Packet } from './testing.ts';

const moved = { host: '198.51.100.9', port: 7_777 };
const elsewhere = { host: '192.0.2.66', port: 666 };

describe('a change of address', () => {
  it.each([true, false])('of the dialer is followed within about a second (told of it: %s)', (told) => {
    const { net, visor, relay, id } = connectedPair(1, crypto);
    visor.address = moved;
    const atMs = net.ms;
    if (told) visor.act((sessions, now) => { sessions.networkChanged(now); });
    else visor.send(id, textFrame('from a new place', net.random));
    net.run(5_000);
    const [event] = relay.of('moved');
    expect(event).toMatchObject({ sessionId: relay.only.id, address: moved });
    expect((event?.atMs ?? Infinity) - atMs).toBeLessThanOrEqual(told ? 150 : 1_200);
    expect(relay.of('moved').length).toBe(1);
    relay.send(relay.only.id, answerFrame('to the new place', net.random));
    net.run(100);
    expect(visor.frames).toEqual(['to the new place']);
    expect([...visor.of('silent'), ...visor.of('restarted'), ...relay.of('restarted')]).toEqual([]);
  });

  it('of a dialer that only listens is followed at once when it asks, and not before', () => {
    const { net, visor, relay, id } = connectedPair(1, crypto);
    visor.address = moved;
    net.run(2_000);
    relay.send(relay.only.id, answerFrame('to where nobody is', net.random));
    net.run(100);
    expect([relay.of('moved'), visor.frames]).toEqual([[], []]);
    const atMs = net.ms;
    visor.act((sessions, now) => { sessions.ask(id, now); });
    net.run(500);
    expect(relay.of('moved')).toMatchObject([{ address: moved }]);
    expect((relay.of('moved')[0]?.atMs ?? Infinity) - atMs).toBeLessThanOrEqual(150);
  });

  it('of the responder is followed by what it sends, and back', () => {
    const { net, visor, relay } = connectedPair(2, crypto);
    const home = relay.address;
    for (const address of [moved, home]) {
      relay.address = address;
      for (let count = 0; count < 3; count += 1) { relay.send(relay.only.id, textFrame('hello', net.random)); net.run(400); }
      expect(visor.only.address).toEqual(address);
    }
    expect(visor.of('moved').length).toBe(2);
  });

  it('to which the other side led us and that is silent now is given up for the address that was dialled', () => {
    const { net, visor, relay, id } = connectedPair(3, crypto);
    const home = relay.address;
    relay.address = moved;
    for (let count = 0; count < 3; count += 1) { relay.send(relay.only.id, textFrame('hello', net.random)); net.run(400); }
    expect(visor.only.address).toEqual(moved);
    relay.address = home;
    visor.send(id, textFrame('anybody?', net.random));
    net.run(10_000);
    expect(visor.only.address).toEqual(home);
    expect(visor.of('established').length + visor.of('moved').length).toBeGreaterThan(1);
    expect(visor.send(id, answerFrame('there', net.random))).toBe(true);
    net.run(100);
    expect(relay.frames).toContain('there');
  });

  it('by redirect is dialled at once', () => {
    const { net, visor, relay, id } = connectedPair(4, crypto);
    relay.address = moved;
    visor.act((sessions, now) => { sessions.redirect(id, moved, now); });
    net.run(500);
    expect(visor.only.address).toEqual(moved);
    expect(relay.sessions.establishedCount).toBe(1);
    visor.send(id, answerFrame('there', net.random));
    net.run(100);
    expect(relay.frames).toEqual(['there']);
  });
});

describe('packets from elsewhere', () => {
  it('that are copies or forgeries change nothing', () => {
    const { net, visor, relay, id } = connectedPair(5, crypto);
    net.hook = (packet) => {
      const forged = packet.datagram.slice();
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
      return [{}, { from: elsewhere, delayMs: 3 }, { from: elsewhere, datagram: forged, delayMs: 4 }];
    };
    for (let count = 0; count < 50; count += 1) {
      visor.send(id, textFrame('up', net.random));
      relay.send(relay.only.id, textFrame('down', net.random));
      net.run(100);
    }
    expect([visor.of('moved'), relay.of('moved')]).toEqual([[], []]);
    expect([visor.frames.length, relay.frames.length]).toEqual([50, 50]);
    expect([visor.sentTo, relay.sentTo].map((sent) => sent.has(socketAddressKey(elsewhere)))).toEqual([false, false]);
  });

  it('that come first, forwarded by somebody faster, end with the session on the straight path when they stop', () => {
    const { net, visor, relay, id } = connectedPair(6, crypto);
    net.hook = (packet) => (packet.to === relay.address ? [{ from: elsewhere }, { delayMs: 5 }] : undefined);
    for (let count = 0; count < 30; count += 1) { visor.send(id, textFrame('up', net.random)); net.run(100); }
    expect(relay.only.address).toEqual(visor.address);
    net.hook = undefined;
    visor.send(id, textFrame('up', net.random));
    net.run(2_000);
    relay.send(relay.only.id, answerFrame('down', net.random));
    net.run(100);
    expect(visor.frames).toEqual(['down']);
    expect(visor.of('silent')).toEqual([]);
  });

  it('never get more bytes than they brought, at any instant', () => {
    for (let seed = 10; seed < 30; seed += 1) {
      const { net, visor, relay, id } = connectedPair(seed, crypto);
      const proved = new Set([visor.address, relay.address].map(socketAddressKey));
      const wild = (): number => net.random(1)[0] ?? 0;
      const check = (): void => {
        for (const node of [visor, relay]) {
          for (const event of node.of('moved')) proved.add(socketAddressKey(event.address));
          for (const [address, sent] of node.sentTo) if (!proved.has(address)) expect(sent, address).toBeLessThanOrEqual(node.receivedFrom.get(address) ?? 0);
        }
      };
      net.hook = (packet: Packet) => (packet.to === relay.address && wild() < 120 ? [{ from: { host: '192.0.2.1', port: 1 + (wild() % 4) } }] : undefined);
      for (let step = 0; step < 200; step += 1) {
        if (wild() < 128) visor.send(id, textFrame('x'.repeat(wild() * 4), net.random));
        else relay.send(relay.only.id, textFrame('y'.repeat(wild() * 4), net.random));
        net.run(wild());
        check();
      }
      expect(relay.sessions.establishedCount).toBe(1);
    }
  });
});
