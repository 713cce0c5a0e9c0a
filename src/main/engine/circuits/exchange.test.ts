import { describe, expect, it } from 'vitest';
import { idleMs, straysMaximum, tunnelBurstBytes, tunnelBytesPerSecond } from './circuit-budget.ts';
import { datagram, keptOf, mailbox, opener, owner, smallWorld, stranger, yes } from './exchange-testing.ts';
import { tunnelHeaderBytes, tunnelledMaximumBytes } from './tunnel.ts';

describe('frames', () => {
  it('cross from either end to the other, under its number, of any length that fits', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    for (const sizeBytes of [1, 2, 100, tunnelledMaximumBytes]) {
      made.frame(opener, ends.opener, datagram(sizeBytes));
      made.frame(owner, ends.owner, datagram(sizeBytes));
      expect(made.sent.splice(0)).toEqual([{ sessionId: owner, circuit: ends.owner, datagram: datagram(sizeBytes) }, { sessionId: opener, circuit: ends.opener, datagram: datagram(sizeBytes) }]);
    }
    expect(made.count('circuit.forwarded')).toBe(8);
  });

  it('without a datagram, too long for a path of 1,200 bytes, or cut off go nowhere', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    made.frame(opener, ends.opener, datagram(0));
    made.frame(opener, ends.opener, datagram(tunnelledMaximumBytes + 1));
    for (let sizeBytes = 0; sizeBytes < tunnelHeaderBytes; sizeBytes += 1) made.exchange.frame(opener, new Uint8Array(sizeBytes).fill(3), made.now);
    expect([made.sent, made.asked, made.count('circuit.drop.size')]).toEqual([[], [], 2 + tunnelHeaderBytes]);
  });

  it('reach nothing under the number of somebody else\'s end, of the other end, or of none', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    for (const [sessionId, circuit] of [[stranger, ends.opener], [stranger, ends.owner], [opener, ends.owner], [owner, ends.opener], [opener, 0], [opener, 0xffff_ffff], [77, ends.opener]] as const) made.frame(sessionId, circuit, datagram(50));
    expect([made.sent, made.count('circuit.drop.unknown'), made.exchange.sizes.circuits]).toEqual([[], 7, 1]);
    expect([made.hangUp(stranger, ends.opener), made.hangUp(opener, ends.owner), made.hangUp(opener, 0), made.exchange.sizes.circuits]).toEqual([1, 1, 1, 1]);
  });

  it('for a circuit that is no more are answered by a hang-up, once a second for each session', () => {
    const made = smallWorld();
    for (let number = 0; number < 1_000; number += 1) made.frame(stranger, 5_000 + number, datagram(9));
    made.frame(opener, 4, datagram(9));
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: stranger, circuit: 5_000 }, { sessionId: opener, circuit: 4 }]);
    made.ms += 999;
    made.frame(stranger, 6, datagram(9));
    made.ms += 1;
    made.frame(stranger, 7, datagram(9));
    expect([made.settleAll('hang-up', yes), made.exchange.sizes]).toEqual([[{ sessionId: stranger, circuit: 7 }], expect.objectContaining({ strays: 1, sessions: 0, hangUps: 0 })]);
    made.close(stranger);
    expect(made.exchange.sizes.strays).toBe(0);
  });

  it('of very many sessions without circuits are answered for so many only', () => {
    const made = smallWorld();
    let answered = 0;
    for (let session = 0; session < 10_000; session += 1) {
      made.frame(1_000 + session, 1, datagram(9));
      answered += made.settleAll('hang-up', yes).length;
    }
    expect([answered, made.exchange.sizes.strays, made.exchange.sizes.sessions]).toEqual([straysMaximum, straysMaximum, 0]);
    for (let session = 0; session < 10_000; session += 1) made.frame(1_000 + session, 2, datagram(9));
    expect(made.asked).toEqual([]);
  });

  it('beyond the burst and the rate of their circuit are dropped, whichever way they go, and others go on', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    const other = made.open(stranger, mailbox);
    const sizeBytes = 1_024;
    for (let number = 0; number < 1_000; number += 1) made.frame(number % 2 === 0 ? opener : owner, number % 2 === 0 ? ends.opener : ends.owner, datagram(sizeBytes));
    expect([made.sent.splice(0).length, made.count('circuit.drop.budget')]).toEqual([tunnelBurstBytes / sizeBytes, 1_000 - tunnelBurstBytes / sizeBytes]);
    made.frame(stranger, other.opener, datagram(sizeBytes));
    expect(made.sent.splice(0).length).toBe(1);
    made.ms += 1_000;
    for (let number = 0; number < 1_000; number += 1) made.frame(owner, ends.owner, datagram(sizeBytes));
    expect(made.sent.splice(0).length).toBe(tunnelBytesPerSecond / sizeBytes);
    made.ms += 100_000;
    for (let number = 0; number < 1_000; number += 1) made.frame(owner, ends.owner, datagram(sizeBytes));
    expect(made.sent.length).toBe(tunnelBurstBytes / sizeBytes);
  });

  it('have the same budget when the clock goes back', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    for (const byMs of [-900, 900]) {
      for (let number = 0; number < 1_000; number += 1) made.frame(opener, ends.opener, datagram(1_024));
      made.ms += byMs;
    }
    expect(made.sent.length).toBe(tunnelBurstBytes / 1_024);
    const other = made.open(stranger, mailbox);
    made.ms -= 5_000;
    made.frame(stranger, other.opener, datagram(1_024));
    expect(made.sent.length).toBe(tunnelBurstBytes / 1_024 + 1);
  });

  it('that the other session cannot take now are dropped', () => {
    const made = smallWorld();
    const ends = made.open(opener, mailbox);
    made.deaf.add(owner);
    made.frame(opener, ends.opener, datagram(9));
    expect([made.sent, made.count('circuit.drop.not-sent'), made.count('circuit.forwarded')]).toEqual([[], 1, 0]);
  });
});

describe('the end of a circuit', () => {
  it('comes with a hang-up of either end, and the other is told', () => {
    const made = smallWorld();
    for (const by of ['opener', 'owner'] as const) {
      const ends = made.open(opener, mailbox);
      const [own, other] = by === 'opener' ? [opener, { sessionId: owner, circuit: ends.owner }] : [owner, { sessionId: opener, circuit: ends.opener }];
      expect([made.hangUp(own, ends[by]), made.hangUp(own, ends[by])]).toEqual([1, 1]);
      expect(made.settleAll('hang-up', yes)).toEqual([other]);
      expect(keptOf(made)).toEqual([]);
    }
    expect(made.count('circuit.ended.hang-up')).toBe(2);
  });

  it('comes with either session, and the other ends are told', () => {
    const made = smallWorld();
    const first = made.open(opener, mailbox);
    const second = made.open(opener, mailbox);
    const third = made.open(stranger, mailbox);
    made.close(opener);
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: owner, circuit: first.owner }, { sessionId: owner, circuit: second.owner }]);
    made.close(owner);
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: stranger, circuit: third.opener }]);
    made.close(stranger);
    expect([made.asked, made.count('circuit.ended.session')]).toEqual([[], 3]);
    expect(keptOf(made)).toEqual([]);
  });

  it('comes 120 seconds after the last datagram that went through, and not before', () => {
    const made = smallWorld();
    const startedMs = made.ms;
    const ends = made.open(opener, mailbox);
    made.runTo(startedMs + 70_000);
    made.frame(owner, ends.owner, datagram(1));
    made.runTo(startedMs + 100_000);
    // These do not go through.
    made.frame(owner, ends.owner, datagram(0));
    made.deaf.add(owner);
    made.frame(opener, ends.opener, datagram(1));
    made.runTo(startedMs + 70_000 + idleMs - 1);
    expect([made.exchange.sizes.circuits, made.exchange.pollTimeout()]).toEqual([1, { atMs: startedMs + 70_000 + idleMs, reason: 'idle circuit' }]);
    made.runTo(startedMs + 70_000 + idleMs);
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: owner, circuit: ends.owner }, { sessionId: opener, circuit: ends.opener }]);
    expect([made.count('circuit.ended.idle'), made.exchange.pollTimeout()]).toEqual([1, undefined]);
    expect(keptOf(made)).toEqual([]);
  });

  it('leaves nothing, however often', () => {
    const made = smallWorld();
    for (let round = 0; round < 2_000; round += 1) {
      const ends = made.open(opener, mailbox);
      made.hangUp(round % 2 === 0 ? opener : owner, round % 2 === 0 ? ends.opener : ends.owner);
      made.settleAll('hang-up', round % 3 === 0 ? { kind: 'timed-out' } : yes);
      made.ms += 2_000;
    }
    expect(keptOf(made)).toEqual([]);
    expect([made.exchange.sizes.rates, made.exchange.sizes.deadlines < 200]).toEqual([1, true]);
  });
});
