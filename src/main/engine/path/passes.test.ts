import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { encodeProbe, type Pass } from './observe-codec.ts';
import { observeCapability, passCapability } from './observing.ts';
import { passGoodForSeconds, Passes } from './passes.ts';
import { ListeningCheck, TestPaths, type TestRelay } from './path-testing.ts';
import { decodeTicket, type Ticket } from './ticket.ts';
import type { PassNews } from './observation-port.ts';
import type { SocketAddress } from '../wire/types.ts';

const nothing = new Uint8Array(0);

class Hearing extends ListeningCheck {
  readonly news: PassNews[] = [];
  passed(news: PassNews): void { this.news.push(news); }
}

function visor(): { readonly world: TestPaths; readonly relay: TestRelay; readonly check: Hearing } {
  const world = new TestPaths();
  const relay = world.relay('192.0.2.1');
  relay.capabilities = [observeCapability, passCapability];
  const check = new Hearing();
  world.observing.check = check;
  world.prepare(relay, 8);
  return { world, relay, check };
}

function passOf(at: ReturnType<typeof visor>): Pass {
  const { world, relay, check } = at;
  world.observing.askPass(relay.host, 'main', world.now);
  world.run();
  const [news] = check.news.splice(0);
  if (news?.kind !== 'given') throw new Error('no pass');
  return news.pass;
}

function ticketOf(relay: TestRelay, sessionId: number, at: SocketAddress): Ticket {
  relay.sessions.set(sessionId, at);
  const payload = relay.ticket(sessionId);
  const ticket = payload instanceof Uint8Array ? decodeTicket(payload) : undefined;
  if (ticket === undefined) throw new Error('no ticket');
  return ticket;
}

describe('passes', () => {
  it('bring an answer to the socket that they were given to, shown by another', () => {
    const at = visor();
    const { world, relay, check } = at;
    expect(world.observing.passGivers()).toEqual([relay.host]);
    const spare = world.spare(41_000);
    expect(world.observing.askPass(relay.host, spare, world.now)).toBe('sent');
    world.run();
    const [given] = check.news.splice(0);
    if (given?.kind !== 'given') throw new Error('no pass');
    expect([given.at, given.pass.place]).toEqual([spare, world.visorAddress(spare)]);
    expect(world.observing.askByPass(relay.host, given.pass, spare, world.now)).toBe('sent');
    world.run();
    expect(check.news).toEqual([{ kind: 'arrived', relay: relay.host, at: spare }]);
    // Nothing of it is an observation of a check.
    expect(check.observations).toEqual([]);
  });

  it('are believed nowhere but at the socket that was meant', () => {
    const at = visor();
    const { world, relay, check } = at;
    const [spare, other] = [world.spare(41_000), world.spare(41_001)];
    const pass = passOf(at);
    world.observing.askByPass(relay.host, pass, spare, world.now);
    world.run();
    expect([check.news, world.count('drop.elsewhere')]).toEqual([[], 1]);
    world.hook = (sent) => (sent.from.host === relay.host ? [{ ...sent, to: world.visorAddress(other) }] : [sent]);
    world.observing.askPass(relay.host, spare, world.now);
    world.run();
    expect([check.news, world.count('drop.elsewhere')]).toEqual([[], 2]);
  });

  it('are honoured for ten minutes, by the relay that gave them, for who is in the neighbourhood that they were given to', () => {
    const at = visor();
    const { world, relay } = at;
    const pass = passOf(at);
    let number = 0;
    const show = (shown: Pass, session: SocketAddress, id: number): number => {
      number += 1;
      const ticket = ticketOf(relay, id, session);
      const before = world.wire.length;
      world.deliver(session, relay.address, encodeProbe(crypto, ticket.key, { ticket: ticket.id, number }, 'by-pass', undefined, shown) ?? nothing);
      return world.wire.length - before;
    };
    expect(show(pass, { host: '203.0.113.77', port: 5 }, 1)).toBe(1);
    expect(world.wire.at(-1)?.to).toEqual(pass.place);
    expect(show(pass, { host: '198.51.100.7', port: 5 }, 2)).toBe(0);
    expect(show({ ...pass, place: { host: '198.51.100.9', port: 53 } }, { host: '203.0.113.77', port: 5 }, 3)).toBe(0);
    expect(show({ ...pass, bytes: pass.bytes.with(0, 1 ^ (pass.bytes[0] ?? 0)) }, { host: '203.0.113.77', port: 5 }, 4)).toBe(0);
    world.ms += passGoodForSeconds * 1_000 + 1_000;
    expect(show(pass, { host: '203.0.113.77', port: 5 }, 5)).toBe(0);
    expect(relay.count('drop.bad-pass')).toBe(4);
    // Another relay, or the same one after a restart, has another secret.
    const [one, two] = [new Passes(crypto, new Uint8Array(32).fill(1)), new Passes(crypto, new Uint8Array(32).fill(2))];
    const given = one.give(pass.place, 'near', 5_000);
    if (given === undefined) throw new Error('no pass');
    expect([one.isGood(given, 'near', 9_000), two.isGood(given, 'near', 9_000), one.isGood(given, 'far', 9_000), one.isGood(given, 'near', 3_000)]).toEqual([true, false, false, false]);
  });

  it('have no more sent to one neighbourhood than answers for other relays, and each probe counts once', () => {
    const at = visor();
    const { world, relay } = at;
    const pass = passOf(at);
    world.wire.length = 0;
    for (let session = 1; session <= 3; session += 1) {
      const ticket = ticketOf(relay, session, { host: '203.0.113.5', port: session });
      for (let number = 1; number <= ticket.probes; number += 1) {
        const probe = encodeProbe(crypto, ticket.key, { ticket: ticket.id, number }, 'by-pass', undefined, pass) ?? nothing;
        world.deliver({ host: '203.0.113.5', port: 9 }, relay.address, probe);
        world.deliver({ host: '203.0.113.5', port: 9 }, relay.address, probe);
      }
    }
    expect([world.wire.length, relay.count('drop.rate') > 0]).toEqual([24, true]);
    for (const { datagram } of world.wire) expect(datagram.length).toBeLessThan(128);
  });
});
