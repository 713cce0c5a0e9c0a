import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import {
  attemptsPerPrefixPerMinute, circuitsMaximum, circuitsPerOpenerMaximum, circuitsPerOwnerMaximum, circuitsPerPrefixMaximum, connectDeadlineMs, connectsMaximum, connectsPerOwnerMaximum,
  hangUpsMaximum, idleMs, sessionsAskedMaximum,
} from './circuit-budget.ts';
import { datagram, ExchangeWorld, keptOf, mailbox, mailboxOf, negative, no, opener, owner, smallWorld, stranger, token, yes } from './exchange-testing.ts';

describe('an opening', () => {
  it('shows the owner the hash of the token, and gives each end a number of its own', () => {
    const made = smallWorld();
    const wish = made.wish(opener, mailbox);
    const [connect] = made.waiting('connect');
    expect(connect?.asked.body).toEqual({ verb: 'connect', circuit: connect?.circuit, tokenHash: nobleCrypto.blake3(token) });
    expect([connect?.sessionId, connect?.asked.options.deadlineMs, wish.answer]).toEqual([owner, connectDeadlineMs, undefined]);
    made.settleAll('connect', yes);
    expect([typeof wish.answer, wish.answers, wish.answer === connect?.circuit, wish.answer === 0, connect?.circuit === 0]).toEqual(['number', 1, false, false, false]);
    expect(made.exchange.sizes).toMatchObject({ circuits: 1, attempts: 0, connects: 0, sessions: 2, ends: 2, neighbourhoods: 1 });
  });

  it('finds nobody where nobody has registered, or only the opener itself', () => {
    const made = smallWorld();
    expect(made.wish(opener, mailboxOf(9)).answer).toEqual(negative('not-found', 30));
    expect(made.wish(owner, mailbox).answer).toEqual(negative('not-found', 30));
    expect(made.asked).toEqual([]);
    expect(keptOf(made)).toEqual([]);
  });

  it('needs a token, and a session that is here', () => {
    const made = smallWorld();
    expect(made.wish(opener, mailbox, new Uint8Array(16)).answer).toEqual(negative('malformed'));
    expect(made.wish(opener, mailbox, new Uint8Array(15).fill(1)).answer).toEqual(negative('malformed'));
    expect(made.wish(99, mailbox).answers).toBe(0);
    expect(made.asked).toEqual([]);
  });

  it('is refused when the owner refuses, and finds nobody when it says nothing or goes', () => {
    const made = smallWorld();
    for (const [outcome, expected] of [[no, negative('refused')], [{ kind: 'timed-out' }, negative('not-found', 30)], [{ kind: 'session-lost' }, negative('not-found', 30)]] as const) {
      const wish = made.wish(opener, mailbox);
      made.settleAll('connect', outcome);
      expect([wish.answer, wish.answers]).toEqual([expected, 1]);
      expect(keptOf(made)).toEqual([]);
    }
  });

  it('takes an answer that is neither yes nor no for a no, and takes it back', () => {
    const made = smallWorld();
    for (const payloads of [[], [new Uint8Array(1)], [new Uint8Array(0), new Uint8Array(0)]]) {
      const wish = made.wish(opener, mailbox);
      const asked = made.settleAll('connect', { kind: 'answered', payloads });
      expect(wish.answer).toEqual(negative('refused'));
      expect(made.settleAll('hang-up', yes)).toEqual(asked);
    }
    expect(keptOf(made)).toEqual([]);
  });

  it('gives the circuit to the first of the owner\'s sessions, and takes it back from the others', () => {
    const made = smallWorld();
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
    const made = smallWorld();
    made.register(4, mailbox);
    const wish = made.wish(opener, mailbox);
    made.settleAll('connect', no, owner);
    expect(wish.answer).toBeUndefined();
    made.settleAll('connect', { kind: 'timed-out' });
    expect(wish.answer).toEqual(negative('refused'));
  });

  it.each([true, false])('whose opener is gone meanwhile ends with a hang-up to the owner (requests lost first: %s)', (lostFirst) => {
    const made = smallWorld();
    const wish = made.wish(opener, mailbox);
    made.close(opener, lostFirst);
    // Somebody else's, under the number that the session had.
    made.connect(opener);
    const asked = made.settleAll('connect', yes);
    expect([wish.answers, made.settleAll('hang-up', yes)]).toEqual([0, asked]);
    expect(keptOf(made)).toEqual([]);
  });

  it.each([true, false])('whose owner is gone meanwhile finds nobody (requests lost first: %s)', (lostFirst) => {
    const made = smallWorld();
    const wish = made.wish(opener, mailbox);
    made.close(owner, lostFirst);
    expect([wish.answer, made.asked]).toEqual([negative('not-found', 30), []]);
    expect(keptOf(made)).toEqual([]);
  });

  it('whose owner is gone leaves a new session under the same number alone', () => {
    const made = smallWorld();
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
    const made = smallWorld();
    const wish = made.wish(opener, mailbox);
    const [connect] = made.waiting('connect');
    made.frame(owner, connect?.circuit ?? 0, datagram(1));
    expect([made.hangUp(owner, connect?.circuit ?? 0), made.count('circuit.drop.early'), made.sent]).toEqual([1, 1, []]);
    made.settleAll('connect', yes);
    expect([wish.answer, made.asked]).toEqual([negative('refused'), []]);
    expect(keptOf(made)).toEqual([]);
  });

  it('may be between two sessions of one mailbox', () => {
    const made = smallWorld();
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
    const made = smallWorld();
    const ends = Array.from({ length: circuitsPerOpenerMaximum }, () => made.open(opener, mailbox));
    expect(made.wish(opener, mailbox).answer).toEqual(negative('busy', 60));
    expect(made.hangUp(opener, ends[0]?.opener ?? 0)).toBe(1);
    expect(made.wish(opener, mailbox).answer).toBeUndefined();
    // What is being asked for counts.
    expect(made.wish(opener, mailbox).answer).toEqual(negative('busy', 60));
  });

  it('ask one owner no more than it can want, and no more at once than it can answer', () => {
    const made = smallWorld();
    for (let number = 0; number < connectsPerOwnerMaximum; number += 1) expect(made.wish(made.connect(100 + number), mailbox).answer).toBeUndefined();
    expect(made.wish(stranger, mailbox).answer).toEqual(negative('busy', 5));
    made.settleAll('connect', yes);
    for (let number = connectsPerOwnerMaximum; number < circuitsPerOwnerMaximum; number += 1) made.open(made.connect(100 + number), mailbox);
    expect([made.wish(stranger, mailbox).answer, made.exchange.sizes.circuits]).toEqual([negative('busy', 5), circuitsPerOwnerMaximum]);
    made.close(100);
    made.open(stranger, mailbox);
  });

  it('ask an owner with some circuits only about as many more as it may have', () => {
    const made = smallWorld();
    for (let number = 0; number < 40; number += 1) made.open(made.connect(100 + number), mailbox);
    const wishes = Array.from({ length: 40 }, (_, number) => made.wish(made.connect(200 + number), mailbox));
    expect([made.waiting('connect').length, wishes.filter(({ answer }) => answer === undefined).length]).toEqual([circuitsPerOwnerMaximum - 40, circuitsPerOwnerMaximum - 40]);
    made.settleAll('connect', yes);
    expect(made.exchange.sizes.circuits).toBe(circuitsPerOwnerMaximum);
  });

  it('ask the newest sessions of a mailbox that has many', () => {
    const made = smallWorld();
    for (let session = 10; session < 30; session += 1) made.register(session, mailbox);
    made.wish(opener, mailbox);
    expect(made.waiting('connect').map(({ sessionId }) => sessionId)).toEqual(Array.from({ length: sessionsAskedMaximum }, (_, index) => 30 - sessionsAskedMaximum + index));
  });

  it('keep 10,000 openings of one source to its rate, and keep nothing of them', () => {
    const made = smallWorld();
    let [asked, busy] = [0, 0];
    for (let number = 0; number < 10_000; number += 1) {
      const wish = made.wish(made.connect(1_000 + number, `198.51.100.${String(number % 256)}`), mailboxOf(1));
      if (wish.answer === undefined) asked += 1;
      else if (typeof wish.answer !== 'number' && wish.answer.code === 'busy') busy += 1;
      made.settleAll('connect', no);
    }
    expect([asked, busy, made.count('circuit.refused.busy'), made.exchange.sizes.rates]).toEqual([attemptsPerPrefixPerMinute, 10_000 - attemptsPerPrefixPerMinute, busy, 1]);
    expect(keptOf(made)).toEqual([]);
  });

  it('have room for so many requests in all, from however many sources to however many owners', () => {
    const made = smallWorld();
    for (let number = 0; number < 10_000; number += 1) {
      made.register(100_000 + number, mailboxOf(100 + number));
      made.wish(made.connect(1_000 + number, `10.${String(number >> 8)}.${String(number & 255)}.1`), mailboxOf(100 + number));
    }
    expect([made.asked.length, made.exchange.sizes.attempts]).toEqual([connectsMaximum, connectsMaximum]);
    made.settleAll('connect', { kind: 'timed-out' });
    expect(keptOf(made)).toEqual([]);
  });

  it('leave seven eighths to others when one neighbourhood keeps opening', () => {
    const made = smallWorld();
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
    const made = smallWorld();
    for (let number = 0; number < circuitsMaximum; number += 1) {
      made.register(100_000 + (number >> 6), mailboxOf(100 + (number >> 6)));
      made.open(made.connect(1_000 + number, `10.${String(number >> 8)}.${String(number & 255)}.1`), mailboxOf(100 + (number >> 6)));
    }
    expect([made.exchange.sizes.circuits, made.wish(opener, mailbox).answer]).toEqual([circuitsMaximum, negative('busy', 60)]);
    made.runTo(made.ms + idleMs);
    expect([made.waiting('hang-up').length, made.count('circuit.hang-up-left-out'), made.count('circuit.ended.idle')]).toEqual([hangUpsMaximum, 2 * circuitsMaximum - hangUpsMaximum, circuitsMaximum]);
    made.settleAll('hang-up', { kind: 'timed-out' });
    expect(keptOf(made)).toEqual([]);
    expect(made.exchange.pollTimeout()).toBeUndefined();
  });
});
