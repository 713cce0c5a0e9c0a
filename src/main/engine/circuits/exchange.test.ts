import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import {
  attemptsPerPrefixPerMinute, circuitsMaximum, circuitsPerOpenerMaximum, circuitsPerOwnerMaximum, circuitsPerPrefixMaximum, connectDeadlineMs, connectsMaximum, connectsPerOwnerMaximum,
  hangUpsMaximum, idleMs, sessionsAskedMaximum, straysMaximum, tunnelBurstBytes, tunnelBytesPerSecond,
} from './circuit-budget.ts';
import { ExchangeWorld, mailboxOf, no, token, yes } from './exchange-testing.ts';
import { tunnelHeaderBytes, tunnelledMaximumBytes } from './tunnel.ts';
import type { Negative } from '../wire/types.ts';

const [opener, owner, stranger] = [1, 2, 3];
const mailbox = mailboxOf(1);
const datagram = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, index) => index);
const negative = (code: Negative['code'], retryAfterSeconds = 0): Negative => ({ code, retryAfterSeconds, detail: 0 });

function world(): ExchangeWorld {
  const made = new ExchangeWorld();
  made.connect(opener);
  made.register(owner, mailbox);
  made.connect(stranger);
  return made;
}

/** Nothing is kept but what bounded rates remember. */
function expectNothingKept(made: ExchangeWorld): void {
  expect({ ...made.exchange.sizes, rates: 0, strays: 0, deadlines: 0 }).toEqual({ circuits: 0, attempts: 0, connects: 0, sessions: 0, ends: 0, hangUps: 0, neighbourhoods: 0, rates: 0, strays: 0, deadlines: 0 });
}

describe('an opening', () => {
  it('shows the owner the hash of the token, and gives each end a number of its own', () => {
    const made = world();
    const wish = made.wish(opener, mailbox);
    const [connect] = made.waiting('connect');
    expect(connect?.asked.body).toEqual({ verb: 'connect', circuit: connect?.circuit, tokenHash: nobleCrypto.blake3(token) });
    expect([connect?.sessionId, connect?.asked.options.deadlineMs, wish.answer]).toEqual([owner, connectDeadlineMs, undefined]);
    made.settleAll('connect', yes);
    expect([typeof wish.answer, wish.answers, wish.answer === connect?.circuit, wish.answer === 0, connect?.circuit === 0]).toEqual(['number', 1, false, false, false]);
    expect(made.exchange.sizes).toMatchObject({ circuits: 1, attempts: 0, connects: 0, sessions: 2, ends: 2, neighbourhoods: 1 });
  });

  it('finds nobody where nobody has registered, or only the opener itself', () => {
    const made = world();
    expect(made.wish(opener, mailboxOf(9)).answer).toEqual(negative('not-found', 30));
    expect(made.wish(owner, mailbox).answer).toEqual(negative('not-found', 30));
    expect(made.asked).toEqual([]);
    expectNothingKept(made);
  });

  it('needs a token, and a session that is here', () => {
    const made = world();
    expect(made.wish(opener, mailbox, new Uint8Array(16)).answer).toEqual(negative('malformed'));
    expect(made.wish(opener, mailbox, new Uint8Array(15).fill(1)).answer).toEqual(negative('malformed'));
    expect(made.wish(99, mailbox).answers).toBe(0);
    expect(made.asked).toEqual([]);
  });

  it('is refused when the owner refuses, and finds nobody when it says nothing or goes', () => {
    const made = world();
    for (const [outcome, expected] of [[no, negative('refused')], [{ kind: 'timed-out' }, negative('not-found', 30)], [{ kind: 'session-lost' }, negative('not-found', 30)]] as const) {
      const wish = made.wish(opener, mailbox);
      made.settleAll('connect', outcome);
      expect([wish.answer, wish.answers]).toEqual([expected, 1]);
      expectNothingKept(made);
    }
  });

  it('takes an answer that is neither yes nor no for a no, and takes it back', () => {
    const made = world();
    for (const payloads of [[], [new Uint8Array(1)], [new Uint8Array(0), new Uint8Array(0)]]) {
      const wish = made.wish(opener, mailbox);
      const asked = made.settleAll('connect', { kind: 'answered', payloads });
      expect(wish.answer).toEqual(negative('refused'));
      expect(made.settleAll('hang-up', yes)).toEqual(asked);
    }
    expectNothingKept(made);
  });

  it('gives the circuit to the first of the owner\'s sessions, and takes it back from the others', () => {
    const made = world();
    for (const other of [4, 5, 6]) made.register(other, mailbox);
    const wish = made.wish(opener, mailbox);
    const [first, second, third, fourth] = made.waiting('connect');
    if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error('all four are asked');
    made.settle(second.asked, no);
    made.settle(third.asked, yes);
    expect(typeof wish.answer).toBe('number');
    made.settle(first.asked, yes);
    made.settle(fourth.asked, { kind: 'timed-out' });
    expect([wish.answers, made.waiting('hang-up').map(({ sessionId, circuit }) => ({ sessionId, circuit }))]).toEqual([1, [{ sessionId: first.sessionId, circuit: first.circuit }]]);
    made.frame(third.sessionId, third.circuit, datagram(10));
    expect(made.sent).toEqual([{ sessionId: opener, circuit: wish.answer, datagram: datagram(10) }]);
    expect(made.exchange.sizes).toMatchObject({ circuits: 1, ends: 2, sessions: 2 });
  });

  it('holds one refusal for the device\'s, whatever its other sessions do not say', () => {
    const made = world();
    made.register(4, mailbox);
    const wish = made.wish(opener, mailbox);
    made.settleAll('connect', no, owner);
    expect(wish.answer).toBeUndefined();
    made.settleAll('connect', { kind: 'timed-out' });
    expect(wish.answer).toEqual(negative('refused'));
  });

  it.each([true, false])('whose opener is gone meanwhile ends with a hang-up to the owner (requests lost first: %s)', (lostFirst) => {
    const made = world();
    const wish = made.wish(opener, mailbox);
    made.close(opener, lostFirst);
    // Somebody else's, under the number that the session had.
    made.connect(opener);
    const asked = made.settleAll('connect', yes);
    expect([wish.answers, made.settleAll('hang-up', yes)]).toEqual([0, asked]);
    expectNothingKept(made);
  });

  it.each([true, false])('whose owner is gone meanwhile finds nobody (requests lost first: %s)', (lostFirst) => {
    const made = world();
    const wish = made.wish(opener, mailbox);
    made.close(owner, lostFirst);
    expect([wish.answer, made.asked]).toEqual([negative('not-found', 30), []]);
    expectNothingKept(made);
  });

  it('whose owner is gone leaves a new session under the same number alone', () => {
    const made = world();
    const wish = made.wish(opener, mailbox);
    const [old] = made.waiting('connect');
    if (old === undefined) throw new Error('the owner is asked');
    made.exchange.sessionClosed(owner, made.now);
    const other = made.wish(stranger, mailbox);
    const [, fresh] = made.waiting('connect');
    if (fresh === undefined) throw new Error('the new session is asked');
    made.settle(fresh.asked, yes);
    made.settle(old.asked, { kind: 'session-lost' });
    expect([wish.answer, typeof other.answer]).toEqual([negative('not-found', 30), 'number']);
    made.frame(owner, fresh.circuit, datagram(6));
    expect(made.sent).toEqual([{ sessionId: stranger, circuit: other.answer, datagram: datagram(6) }]);
    expect(made.exchange.sizes).toMatchObject({ circuits: 1, ends: 2, sessions: 2, connects: 0 });
  });

  it('is refused by the owner\'s hang-up too, and a later yes changes nothing', () => {
    const made = world();
    const wish = made.wish(opener, mailbox);
    const [connect] = made.waiting('connect');
    made.frame(owner, connect?.circuit ?? 0, datagram(1));
    expect([made.hangUp(owner, connect?.circuit ?? 0), made.count('circuit.drop.early'), made.sent]).toEqual([1, 1, []]);
    made.settleAll('connect', yes);
    expect([wish.answer, made.asked]).toEqual([negative('refused'), []]);
    expectNothingKept(made);
  });

  it('may be between two sessions of one mailbox', () => {
    const made = world();
    made.register(opener, mailbox);
    const ends = made.open(opener, mailbox);
    made.frame(opener, ends.opener, datagram(3));
    made.frame(owner, ends.owner, datagram(4));
    expect(made.sent).toEqual([{ sessionId: owner, circuit: ends.owner, datagram: datagram(3) }, { sessionId: opener, circuit: ends.opener, datagram: datagram(4) }]);
  });

  it('finds a number also when the generator always gives the same', () => {
    const made = new ExchangeWorld((sizeBytes) => new Uint8Array(sizeBytes).fill(0xff));
    made.register(owner, mailbox);
    made.connect(opener);
    const numbers = Array.from({ length: 3 }, () => made.open(opener, mailbox));
    expect(numbers).toEqual([{ opener: 0xffff_ffff, owner: 0xffff_ffff }, { opener: 1, owner: 1 }, { opener: 2, owner: 2 }]);
  });
});

describe('bounds of openings', () => {
  it('let one session open so many, and again when one has ended', () => {
    const made = world();
    const ends = Array.from({ length: circuitsPerOpenerMaximum }, () => made.open(opener, mailbox));
    expect(made.wish(opener, mailbox).answer).toEqual(negative('busy', 60));
    expect(made.hangUp(opener, ends[0]?.opener ?? 0)).toBe(1);
    expect(made.wish(opener, mailbox).answer).toBeUndefined();
    // What is being asked for counts.
    expect(made.wish(opener, mailbox).answer).toEqual(negative('busy', 60));
  });

  it('ask one owner no more than it can want, and no more at once than it can answer', () => {
    const made = world();
    for (let number = 0; number < connectsPerOwnerMaximum; number += 1) expect(made.wish(made.connect(100 + number), mailbox).answer).toBeUndefined();
    expect(made.wish(stranger, mailbox).answer).toEqual(negative('busy', 5));
    made.settleAll('connect', yes);
    for (let number = connectsPerOwnerMaximum; number < circuitsPerOwnerMaximum; number += 1) made.open(made.connect(100 + number), mailbox);
    expect([made.wish(stranger, mailbox).answer, made.exchange.sizes.circuits]).toEqual([negative('busy', 5), circuitsPerOwnerMaximum]);
    made.close(100);
    made.open(stranger, mailbox);
  });

  it('ask an owner with some circuits only about as many more as it may have', () => {
    const made = world();
    for (let number = 0; number < 40; number += 1) made.open(made.connect(100 + number), mailbox);
    const wishes = Array.from({ length: 40 }, (_, number) => made.wish(made.connect(200 + number), mailbox));
    expect([made.waiting('connect').length, wishes.filter(({ answer }) => answer === undefined).length]).toEqual([circuitsPerOwnerMaximum - 40, circuitsPerOwnerMaximum - 40]);
    made.settleAll('connect', yes);
    expect(made.exchange.sizes.circuits).toBe(circuitsPerOwnerMaximum);
  });

  it('ask the newest sessions of a mailbox that has many', () => {
    const made = world();
    for (let session = 10; session < 30; session += 1) made.register(session, mailbox);
    made.wish(opener, mailbox);
    expect(made.waiting('connect').map(({ sessionId }) => sessionId)).toEqual(Array.from({ length: sessionsAskedMaximum }, (_, index) => 30 - sessionsAskedMaximum + index));
  });

  it('keep 10,000 openings of one source to its rate, and keep nothing of them', () => {
    const made = world();
    let [asked, busy] = [0, 0];
    for (let number = 0; number < 10_000; number += 1) {
      const wish = made.wish(made.connect(1_000 + number, `198.51.100.${String(number % 256)}`), mailboxOf(1));
      if (wish.answer === undefined) asked += 1;
      else if (typeof wish.answer !== 'number' && wish.answer.code === 'busy') busy += 1;
      made.settleAll('connect', no);
    }
    expect([asked, busy, made.count('circuit.refused.busy'), made.exchange.sizes.rates]).toEqual([attemptsPerPrefixPerMinute, 10_000 - attemptsPerPrefixPerMinute, busy, 1]);
    expectNothingKept(made);
  });

  it('have room for so many requests in all, from however many sources to however many owners', () => {
    const made = world();
    for (let number = 0; number < 10_000; number += 1) {
      made.register(100_000 + number, mailboxOf(100 + number));
      made.wish(made.connect(1_000 + number, `10.${String(number >> 8)}.${String(number & 255)}.1`), mailboxOf(100 + number));
    }
    expect([made.asked.length, made.exchange.sizes.attempts]).toEqual([connectsMaximum, connectsMaximum]);
    made.settleAll('connect', { kind: 'timed-out' });
    expectNothingKept(made);
  });

  it('leave seven eighths to others when one neighbourhood keeps opening', () => {
    const made = world();
    for (let number = 0; made.exchange.sizes.circuits < circuitsPerPrefixMaximum; number += 1) {
      made.register(100_000 + (number >> 6), mailboxOf(100 + (number >> 6)));
      made.open(made.connect(1_000 + number, '198.51.100.7'), mailboxOf(100 + (number >> 6)));
      made.ms += 60_000 / attemptsPerPrefixPerMinute;
    }
    expect(made.wish(made.connect(999, '198.51.100.8'), mailbox).answer).toEqual(negative('busy', 60));
    made.open(opener, mailbox);
    made.close(1_000);
    made.open(999, mailbox);
  });

  it('have room for so many circuits in all, and for so many goodbyes when they end at once', () => {
    const made = world();
    for (let number = 0; number < circuitsMaximum; number += 1) {
      made.register(100_000 + (number >> 6), mailboxOf(100 + (number >> 6)));
      made.open(made.connect(1_000 + number, `10.${String(number >> 8)}.${String(number & 255)}.1`), mailboxOf(100 + (number >> 6)));
    }
    expect([made.exchange.sizes.circuits, made.wish(opener, mailbox).answer]).toEqual([circuitsMaximum, negative('busy', 60)]);
    made.runTo(made.ms + idleMs);
    expect([made.waiting('hang-up').length, made.count('circuit.hang-up-left-out'), made.count('circuit.ended.idle')]).toEqual([hangUpsMaximum, 2 * circuitsMaximum - hangUpsMaximum, circuitsMaximum]);
    made.settleAll('hang-up', { kind: 'timed-out' });
    expectNothingKept(made);
    expect(made.exchange.pollTimeout()).toBeUndefined();
  });
});

describe('frames', () => {
  it('cross from either end to the other, under its number, of any length that fits', () => {
    const made = world();
    const ends = made.open(opener, mailbox);
    for (const sizeBytes of [1, 2, 100, tunnelledMaximumBytes]) {
      made.frame(opener, ends.opener, datagram(sizeBytes));
      made.frame(owner, ends.owner, datagram(sizeBytes));
      expect(made.sent.splice(0)).toEqual([{ sessionId: owner, circuit: ends.owner, datagram: datagram(sizeBytes) }, { sessionId: opener, circuit: ends.opener, datagram: datagram(sizeBytes) }]);
    }
    expect(made.count('circuit.forwarded')).toBe(8);
  });

  it('without a datagram, too long for a path of 1,200 bytes, or cut off go nowhere', () => {
    const made = world();
    const ends = made.open(opener, mailbox);
    made.frame(opener, ends.opener, datagram(0));
    made.frame(opener, ends.opener, datagram(tunnelledMaximumBytes + 1));
    for (let sizeBytes = 0; sizeBytes < tunnelHeaderBytes; sizeBytes += 1) made.exchange.frame(opener, new Uint8Array(sizeBytes).fill(3), made.now);
    expect([made.sent, made.asked, made.count('circuit.drop.size')]).toEqual([[], [], 2 + tunnelHeaderBytes]);
  });

  it('reach nothing under the number of somebody else\'s end, of the other end, or of none', () => {
    const made = world();
    const ends = made.open(opener, mailbox);
    for (const [sessionId, circuit] of [[stranger, ends.opener], [stranger, ends.owner], [opener, ends.owner], [owner, ends.opener], [opener, 0], [opener, 0xffff_ffff], [77, ends.opener]] as const) made.frame(sessionId, circuit, datagram(50));
    expect([made.sent, made.count('circuit.drop.unknown'), made.exchange.sizes.circuits]).toEqual([[], 7, 1]);
    expect([made.hangUp(stranger, ends.opener), made.hangUp(opener, ends.owner), made.hangUp(opener, 0), made.exchange.sizes.circuits]).toEqual([1, 1, 1, 1]);
  });

  it('for a circuit that is no more are answered by a hang-up, once a second for each session', () => {
    const made = world();
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
    const made = world();
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
    const made = world();
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
    const made = world();
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
    const made = world();
    const ends = made.open(opener, mailbox);
    made.deaf.add(owner);
    made.frame(opener, ends.opener, datagram(9));
    expect([made.sent, made.count('circuit.drop.not-sent'), made.count('circuit.forwarded')]).toEqual([[], 1, 0]);
  });
});

describe('the end of a circuit', () => {
  it('comes with a hang-up of either end, and the other is told', () => {
    const made = world();
    for (const by of ['opener', 'owner'] as const) {
      const ends = made.open(opener, mailbox);
      const [own, other] = by === 'opener' ? [opener, { sessionId: owner, circuit: ends.owner }] : [owner, { sessionId: opener, circuit: ends.opener }];
      expect([made.hangUp(own, ends[by]), made.hangUp(own, ends[by])]).toEqual([1, 1]);
      expect(made.settleAll('hang-up', yes)).toEqual([other]);
      expectNothingKept(made);
    }
    expect(made.count('circuit.ended.hang-up')).toBe(2);
  });

  it('comes with either session, and the other ends are told', () => {
    const made = world();
    const first = made.open(opener, mailbox);
    const second = made.open(opener, mailbox);
    const third = made.open(stranger, mailbox);
    made.close(opener);
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: owner, circuit: first.owner }, { sessionId: owner, circuit: second.owner }]);
    made.close(owner);
    expect(made.settleAll('hang-up', yes)).toEqual([{ sessionId: stranger, circuit: third.opener }]);
    made.close(stranger);
    expect([made.asked, made.count('circuit.ended.session')]).toEqual([[], 3]);
    expectNothingKept(made);
  });

  it('comes 120 seconds after the last datagram that went through, and not before', () => {
    const made = world();
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
    expectNothingKept(made);
  });

  it('leaves nothing, however often', () => {
    const made = world();
    for (let round = 0; round < 2_000; round += 1) {
      const ends = made.open(opener, mailbox);
      made.hangUp(round % 2 === 0 ? opener : owner, round % 2 === 0 ? ends.opener : ends.owner);
      made.settleAll('hang-up', round % 3 === 0 ? { kind: 'timed-out' } : yes);
      made.ms += 2_000;
    }
    expectNothingKept(made);
    expect([made.exchange.sizes.rates, made.exchange.sizes.deadlines < 200]).toEqual([1, true]);
  });
});
