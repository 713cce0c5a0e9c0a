import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { seededRandom } from '../session/testing.ts';
import { encodeProbe, permit } from './observe-codec.ts';
import { ticketProbes, ticketSeconds, ticketsMaximum } from './observer.ts';
import { secondPort, TestPaths, type TestRelay } from './path-testing.ts';
import { decodeTicket, type Ticket } from './ticket.ts';
import type { OtherRelay, ProbeName } from './observe-codec.ts';
import type { AnswerFrom } from './types.ts';
import type { SocketAddress } from '../wire/types.ts';

const asker: SocketAddress = { host: '203.0.113.5', port: 40_000 };
const nothing = new Uint8Array(0);

function ticketOf(relay: TestRelay, sessionId = 0, at: SocketAddress = asker): Ticket {
  relay.sessions.set(sessionId, at);
  const payload = relay.ticket(sessionId);
  const ticket = payload instanceof Uint8Array ? decodeTicket(payload) : undefined;
  if (ticket === undefined) throw new Error(`no ticket: ${JSON.stringify(payload)}`);
  return ticket;
}
const nameOf = (ticket: Ticket, number: number): ProbeName => ({ ticket: ticket.id, number });
const probeOf = (ticket: Ticket, number: number, answerFrom: AnswerFrom = 'asked', other?: OtherRelay): Uint8Array => encodeProbe(crypto, ticket.key, nameOf(ticket, number), answerFrom, other) ?? nothing;
const otherOf = (relay: TestRelay, ticket: Ticket, number: number, of: ProbeName, address = relay.address): OtherRelay => ({ address, name: nameOf(ticket, number), permission: permit(crypto, ticket.key, nameOf(ticket, number), of) });

function pair(firstHost = '192.0.2.1', secondHost = '198.51.100.2'): { readonly world: TestPaths; readonly first: TestRelay; readonly second: TestRelay } {
  const world = new TestPaths();
  return { world, first: world.relay(firstHost), second: world.relay(secondHost) };
}

describe('a relay that observes', () => {
  it('answers nothing without a ticket, with a wrong key, or after its end', () => {
    const { world, first } = pair();
    const ticket = ticketOf(first);
    const stranger: Ticket = { ...ticket, id: new Uint8Array(8).fill(9) };
    for (const probe of [probeOf(stranger, 1), probeOf({ ...ticket, key: ticket.key.with(3, 1 ^ (ticket.key[3] ?? 0)) }, 1)]) world.deliver(asker, first.address, probe);
    expect([world.wire.length, first.count('drop.no-ticket'), first.count('drop.unauthentic')]).toEqual([0, 1, 1]);
    // The forged one has used nothing up.
    world.deliver(asker, first.address, probeOf(ticket, 1));
    expect(world.wire.length).toBe(1);
    world.ms += ticketSeconds * 1_000;
    world.deliver(asker, first.address, probeOf(ticket, 2));
    expect([world.wire.length, first.count('drop.expired'), first.observer.ticketCount]).toEqual([1, 1, 0]);
  });

  it('answers each probe once, and no more than a ticket has', () => {
    const { world, first } = pair();
    const ticket = ticketOf(first);
    expect([ticket.probes, ticket.lastsSeconds, ticket.secondPort, ticket.seen]).toEqual([ticketProbes, ticketSeconds, secondPort, asker]);
    for (let round = 0; round < 3; round += 1) for (let number = 1; number <= ticketProbes; number += 1) world.deliver(asker, first.address, probeOf(ticket, number));
    expect([world.wire.length, first.count('drop.used')]).toEqual([ticketProbes, 2 * ticketProbes]);
    // Also not from elsewhere, at the other port, or with another number of its own choosing.
    world.deliver({ host: '203.0.113.99', port: 1 }, { host: first.host, port: secondPort }, probeOf(ticket, 1));
    world.deliver(asker, first.address, probeOf(ticket, ticketProbes + 1));
    expect([world.wire.length, first.count('drop.used')]).toEqual([ticketProbes, 2 * ticketProbes + 2]);
  });

  it('says nothing from another port while it has none', () => {
    const { world, first } = pair();
    first.observer.secondPort = undefined;
    const ticket = ticketOf(first);
    expect(ticket.secondPort).toBeUndefined();
    world.deliver(asker, first.address, probeOf(ticket, 1, 'other-port'));
    expect([world.wire.length, first.count('drop.no-second-port')]).toEqual([0, 1]);
  });

  it('asks another relay once, which answers where the probe was seen to come from', () => {
    const { world, first, second } = pair();
    const [one, two] = [ticketOf(first), ticketOf(second)];
    const probe = probeOf(one, 1, 'other-relay', otherOf(second, two, 1, nameOf(one, 1)));
    world.deliver(asker, first.address, probe);
    const [request] = world.wire.splice(0);
    expect([request?.from, request?.to]).toEqual([first.address, second.address]);
    for (let times = 0; times < 3; times += 1) world.deliver(first.address, second.address, request?.datagram ?? nothing);
    expect(world.wire.map(({ from, to }) => ({ from, to }))).toEqual([{ from: second.address, to: asker }]);
    expect([second.count('passed-on'), second.count('drop.used')]).toEqual([1, 2]);
  });

  it('passes nothing on without its own ticket\'s permission for that very probe', () => {
    const { world, first, second } = pair();
    const [one, two] = [ticketOf(first), ticketOf(second)];
    const wrong: OtherRelay[] = [
      otherOf(second, two, 1, nameOf(one, 9)),
      { ...otherOf(second, two, 1, nameOf(one, 2)), name: nameOf(two, 2) },
      { ...otherOf(second, two, 1, nameOf(one, 3)), permission: new Uint8Array(16) },
      otherOf(second, { ...two, key: one.key }, 1, nameOf(one, 4)),
      otherOf(second, { ...two, id: one.id }, 1, nameOf(one, 5)),
    ];
    for (const [index, other] of wrong.entries()) world.deliver(asker, first.address, probeOf(one, index + 1, 'other-relay', other));
    world.run();
    expect([second.count('passed-on'), second.count('drop.unauthentic'), second.count('drop.no-ticket')]).toEqual([0, 4, 1]);
  });

  it.each([
    ['203.0.113.5', '127.0.0.1'], ['203.0.113.5', '10.0.0.1'], ['10.0.0.9', '127.0.0.1'], ['203.0.113.5', '224.0.0.1'], ['127.0.0.1', '0.0.0.0'], ['203.0.113.5', '169.254.169.254'],
  ])('does not send for %s to %s', (from, to) => {
    const { world, first, second } = pair();
    const [one, two] = [ticketOf(first), ticketOf(second)];
    world.deliver({ host: from, port: 9 }, first.address, probeOf(one, 1, 'other-relay', otherOf(second, two, 1, nameOf(one, 1), { host: to, port: 7_400 })));
    expect([world.wire.length, first.count('drop.address')]).toEqual([0, 1]);
  });

  it.each([['192.0.2.1', '10.0.0.1'], ['192.0.2.1', '127.0.0.1'], ['10.0.0.2', '127.0.0.1']])('does not answer for the relay at %s to %s', (relay, seen) => {
    const { world, first, second } = pair(relay);
    const [one, two] = [ticketOf(first), ticketOf(second)];
    world.deliver({ host: seen, port: 9 }, first.address, probeOf(one, 1, 'other-relay', otherOf(second, two, 1, nameOf(one, 1))));
    world.run();
    expect([second.count('passed-on'), second.count('drop.address')]).toEqual([0, 1]);
  });

  it('does so on one machine and in one private network', () => {
    for (const [from, relay, other] of [['127.0.0.1', '127.0.0.2', '127.0.0.3'], ['10.0.0.9', '10.0.0.1', '10.0.0.2'], ['10.0.0.9', '10.0.0.1', '192.0.2.1']] as const) {
      const { world, first, second } = pair(relay, other);
      const [one, two] = [ticketOf(first), ticketOf(second)];
      world.deliver({ host: from, port: 9 }, first.address, probeOf(one, 1, 'other-relay', otherOf(second, two, 1, nameOf(one, 1))));
      world.run();
      expect(second.count('passed-on')).toBe(1);
    }
  });

  it('sends no requests to ports of the system\'s services', () => {
    const { world, first, second } = pair();
    const [one, two] = [ticketOf(first), ticketOf(second)];
    for (const [index, port] of [53, 123, 1_023, 443, 1_024].entries()) world.deliver(asker, first.address, probeOf(one, index + 1, 'other-relay', otherOf(second, two, 1, nameOf(one, index + 1), { host: second.host, port })));
    expect(world.wire.map(({ to }) => to.port)).toEqual([443, 1_024]);
  });

  it('gives a session 4 tickets a minute, one neighbourhood 20, and all together 600', () => {
    const { first, world } = pair();
    const given = (sessionId: number, host: string): boolean => {
      first.sessions.set(sessionId, { host, port: 1 });
      return first.ticket(sessionId) instanceof Uint8Array;
    };
    const many = (count: number, one: (index: number) => boolean): number => Array.from({ length: count }, (_, index) => one(index)).filter(Boolean).length;
    expect(many(10, () => given(1, '203.0.113.1'))).toBe(4);
    expect(many(100, (index) => given(100 + index, `203.0.113.${index}`))).toBe(16);
    expect(many(1_000, (index) => given(1_000 + index, `198.18.${index >> 8}.${index & 255}`))).toBe(4 * 20);
    expect(many(2_000, (index) => given(5_000 + index, `11.${index >> 8}.${index & 255}.1`))).toBe(500);
    expect(first.ticket(9_999)).toMatchObject({ code: 'gone' });
    first.sessions.set(8_000, { host: '12.0.0.1', port: 1 });
    expect(first.ticket(8_000)).toMatchObject({ code: 'busy', retryAfterSeconds: 1 });
    world.ms += 60_000;
    expect(first.ticket(8_000)).toBeInstanceOf(Uint8Array);
  });

  it('keeps a bounded number of tickets, and those that are used longest', () => {
    const { world, first } = pair();
    world.ms += 60_000;
    const kept = ticketOf(first, 1, { host: '11.0.0.1', port: 1 });
    let number = 1;
    // 600 at once and 600 in the minute that follows: more than the table holds.
    for (let index = 0; index < 2_900; index += 1) {
      world.ms += 20;
      first.sessions.set(100 + index, { host: `11.${1 + (index >> 8)}.${index & 255}.1`, port: 1 });
      first.ticket(100 + index);
      if (index % 150 === 0) { world.deliver(asker, first.address, probeOf(kept, number)); number += 1; }
      expect(first.observer.ticketCount).toBeLessThanOrEqual(ticketsMaximum);
    }
    expect([first.count('answered'), first.count('drop.no-ticket'), first.count('ticket') > ticketsMaximum, first.observer.ticketCount]).toEqual([number - 1, 0, true, ticketsMaximum]);
    // A minute later all of them are over, and go when there is need of room.
    world.ms += 60_000;
    ticketOf(first, 9_000, { host: '12.0.0.1', port: 1 });
    expect(first.observer.ticketCount).toBe(1);
  });

  it('sends one neighbourhood no more than 24 answers a minute for others, and all who ask from elsewhere 60', () => {
    const { world, first, second } = pair();
    const shoot = (from: (index: number) => SocketAddress, tickets: number, session: number): void => {
      for (let count = 0; count < tickets; count += 1) {
        const [one, two] = [ticketOf(first, session + count, { host: `11.${session & 255}.${count}.1`, port: 1 }), ticketOf(second, session + count, asker)];
        for (let number = 1; number <= ticketProbes; number += 1) world.deliver(from(count * ticketProbes + number), first.address, probeOf(one, number, 'other-relay', otherOf(second, two, number, nameOf(one, number))));
        world.run();
      }
    };
    shoot(() => asker, 3, 10);
    expect([second.count('passed-on'), second.count('drop.rate')]).toEqual([24, 48]);
    world.ms += 60_000;
    // To a different neighbourhood each time: none of them the one of the session.
    shoot((index) => ({ host: `12.${index >> 8}.${index & 255}.1`, port: 9 }), 5, 20);
    expect([second.count('passed-on'), first.count('asked-other')]).toEqual([24 + 60, 72 + 120]);
  });

  it('never sends more bytes than came, nor more packets, whatever comes', () => {
    const kinds = ['asked', 'other-port', 'other-relay'] as const;
    const step = fc.record({
      kind: fc.constantFrom('probe', 'request-again', 'damaged', 'noise'), number: fc.integer({ min: 1, max: 30 }), answerFrom: fc.constantFrom(...kinds),
      host: fc.constantFrom(asker.host, '203.0.113.6', '127.0.0.1', '10.0.0.1', '2001:db8::1', 'fe80::1%eth0'), toSecond: fc.boolean(), at: fc.nat(200), noise: fc.uint8Array({ maxLength: 200 }), type: fc.integer({ min: 7, max: 9 }), laterMs: fc.nat(4_000),
    });
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.nat(), (steps, seed) => {
      const { world, first, second } = pair();
      const [one, two] = [ticketOf(first), ticketOf(second)];
      const random = seededRandom(seed);
      let seenRequest: Uint8Array = random(89);
      for (const { kind, number, answerFrom, host, toSecond, at, noise, type, laterMs } of steps) {
        world.ms += laterMs;
        const other = answerFrom === 'other-relay' ? otherOf(second, two, number, nameOf(one, number)) : undefined;
        const genuine = probeOf(one, number, answerFrom, other);
        const datagram = kind === 'probe' ? genuine : kind === 'request-again' ? seenRequest : kind === 'damaged' ? genuine.with(at % genuine.length, noise[0] ?? 1) : Uint8Array.of(type, ...noise);
        const relay = kind === 'request-again' ? second : first;
        const to = toSecond ? { host: relay.host, port: secondPort } : relay.address;
        // One step at a time: what each datagram makes its receiver send.
        let arriving = [{ from: { host, port: 1 + number }, to, datagram }];
        while (arriving.length > 0) {
          const next: typeof arriving = [];
          for (const one_ of arriving) {
            world.deliver(one_.from, one_.to, one_.datagram);
            const sent = world.wire.splice(0);
            expect(sent.length).toBeLessThanOrEqual(1);
            for (const answer of sent) {
              expect(answer.datagram.length).toBeLessThanOrEqual(one_.datagram.length);
              if (answer.datagram[0] === 9) seenRequest = answer.datagram;
              if (answer.to.host === first.host || answer.to.host === second.host) next.push(answer);
            }
          }
          arriving = next;
        }
      }
      const sent = first.count('answered') + first.count('asked-other');
      expect([sent <= ticketProbes, second.count('passed-on') <= ticketProbes]).toEqual([true, true]);
    }), { numRuns: 200 });
  });
});
