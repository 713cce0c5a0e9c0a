/** Full mailboxes, blocked contacts, strangers; and clocks that are wrong. */
import { describe, expect, it } from 'vitest';
import { befriend, crypto, dayMs, friends, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

const deposits = (relay: StoryNode): number => relay.mail.filter(({ request }) => (request.op === 'deposit' || request.op === 'check-deposit') && request.lane === 'letter').length;

describe('quotas', () => {
  const full = (relay: StoryNode, on: () => boolean): void => {
    relay.instead = (request) => (on() && (request.op === 'deposit' || request.op === 'check-deposit') && request.lane === 'letter' ? { outcome: 'quota', scope: 'mailbox' } : undefined);
  };

  it('a relay that says over and over whom it refused has them told so a few times, and their mailbox is not filled with it', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const granted = bob.contact(ada)?.grantedToken;
    if (granted === undefined) throw new Error('there is no token');
    relay.instead = (request) => (request.op === 'refusals' ? { hashes: [crypto.blake3(granted)] } : undefined);
    for (let round = 0; round < 60; round += 1) {
      ada.send(bob, `letter ${String(round)}`);
      world.run(6 * minuteMs);
    }
    const notes = new Set(bob.visorCommits.flatMap((request) => (request.op === 'commit' ? request.changes : [])).flatMap((change) => (change.kind === 'put-outbox' && change.row.kind === 'resume' ? [change.row.id] : [])));
    expect(notes.size).toBeGreaterThan(0);
    expect(notes.size).toBeLessThanOrEqual(16);
    expect(bob.inbox().length).toBe(60);
  });

  it('a full relay makes the letter wait, longer each time, and `resume` ends the wait', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    let isFull = true;
    full(relay, () => isFull);
    const id = ada.send(bob, 'hello');
    ada.send(bob, 'and again');
    world.run(minuteMs);
    const headline = ada.headline(id);
    expect(headline.state === 'queued' ? headline.reason : headline.state).toBe('relay-full');
    const before = deposits(relay);
    world.run(dayMs);
    // 5 min x 1.5 up to 6 h: about fifteen times a day for each.
    expect(deposits(relay) - before).toBeLessThan(40);
    expect(deposits(relay) - before).toBeGreaterThan(5);
    isFull = false;
    world.run(6 * hourMs + hourMs);
    expect([...bob.inbox()].sort()).toEqual(['and again', 'hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('one full relay does not keep a letter from another that comes back', () => {
    const { world, ada, bob, bobsRelays: [first, second] } = friends(2);
    if (second === undefined) throw new Error('two relays');
    world.run(2 * minuteMs);
    full(first, () => true);
    second.off = true;
    const id = ada.send(bob, 'hello');
    world.run(4 * hourMs);
    expect(ada.state(id)).toBe('queued');
    second.off = false;
    world.run(12 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('a blocked sender is refused by the relay, shown nothing new, and heard again after unblocking', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.command({ name: 'block', publicKey: ada.publicKey });
    world.run(secondMs);
    const id = ada.send(bob, 'are you there');
    world.run(minuteMs);
    expect(relay.mail.some(({ request, result }) => request.op === 'deposit' && 'outcome' in result && result.outcome === 'token-revoked')).toBe(true);
    const headline = ada.headline(id);
    expect(headline.state === 'queued' ? headline.reason : headline.state).toBe('relay-refused');
    expect(bob.inbox()).toEqual([]);
    bob.command({ name: 'unblock', publicKey: ada.publicKey });
    world.run(6 * minuteMs);
    expect(bob.inbox()).toEqual(['are you there']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('two contacts blocked at once are both refused, even if a request about one of them was lost', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const eve = world.add('eve');
    const evesRelay = world.relay('relay of eve');
    eve.addRelay(evesRelay);
    world.run(2 * secondMs);
    befriend(eve, bob);
    bob.ask({ name: 'block', publicKey: ada.publicKey });
    bob.ask({ name: 'block', publicKey: eve.publicKey });
    let heard = 0;
    relay.tamper = (request, result) => { if (request.op === 'tokens') heard += 1; return result; };
    // The first request about tokens arrives, and nothing after it for longer than it would be repeated.
    world.passes = (from, to) => !(from === bob && to === relay) || heard === 0;
    world.run(minuteMs);
    world.passes = () => true;
    relay.tamper = undefined;
    world.run(5 * minuteMs);
    const id = [ada.send(bob, 'one'), eve.send(bob, 'two')];
    world.run(minuteMs);
    expect(relay.mail.filter(({ request, result }) => request.op === 'deposit' && 'outcome' in result && result.outcome === 'token-revoked').length).toBeGreaterThanOrEqual(2);
    expect(id).toHaveLength(2);
    expect(bob.inbox()).toEqual([]);
  });

  it('a stranger reaches the stranger lane and is shown as a request without receipts until accepted', () => {
    const world = new StoryWorld();
    const [relay, other] = [world.relay('one'), world.relay('two')];
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    ada.addRelay(other);
    bob.addRelay(relay);
    world.run(2 * secondMs);
    ada.command({ name: 'add-contact', invite: { publicKey: bob.publicKey, port: 1, token: undefined, name: '', relays: [relay.hint] }, as: undefined });
    const id = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(bob.contact(ada)?.standing).toBe('request');
    expect(ada.state(id)).toBe('stored');
    bob.command({ name: 'accept', publicKey: ada.publicKey });
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    expect(ada.contact(bob)?.standing).toBe('contact');
  });
});

describe('clocks', () => {
  const errors = [['ahead', dayMs], ['behind', -dayMs]] as const;

  it.each(errors)('a sender whose clock is a day %s neither loses a letter nor ends it early', (_word, errorMs) => {
    const { world, ada, bob } = friends();
    ada.clockErrorMs = errorMs;
    ada.restart();
    world.run(10 * secondMs);
    bob.powerOff();
    const id = ada.send(bob, 'hello', 3_600);
    world.run(50 * minuteMs);
    expect(ada.state(id)).toBe('stored');
    bob.restart();
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it.each(errors)('a sender whose clock is set a day %s while a letter waits keeps it for its time', (_word, jumpMs) => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    ada.command({ name: 'add-relay', hint: relay.hint, role: 'own' });
    world.run(2 * minuteMs);
    relay.cutOff = true;
    const id = ada.send(bob, 'hello', 3_600);
    world.run(minuteMs);
    ada.clockErrorMs = jumpMs;
    world.run(minuteMs);
    relay.cutOff = false;
    bob.powerOff();
    world.run(10 * minuteMs);
    expect(ada.state(id)).toBe('stored');
    const ttl = relay.mail.flatMap(({ request }) => (request.op === 'deposit' && request.lane === 'letter' ? [request.ttlSeconds] : [])).at(-1) ?? 0;
    expect(ttl).toBeGreaterThan(2_700);
    expect(ttl).toBeLessThanOrEqual(3_600);
  });

  it('a clock that was a day behind while offline does not end letters when two relays put it right', () => {
    const { world, ada, bob, adasRelay, bobsRelays: [relay] } = friends();
    ada.addRelay(relay);
    world.run(minuteMs);
    ada.clockErrorMs = -dayMs;
    ada.cutOff = true;
    ada.restart();
    const id = ada.send(bob, 'hello', 3_600);
    world.run(minuteMs);
    ada.cutOff = false;
    adasRelay.cutOff = false;
    world.run(3 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it.each(errors)('a recipient whose clock is a day %s gets its mail and confirms it', (_word, errorMs) => {
    const { world, ada, bob } = friends();
    bob.clockErrorMs = errorMs;
    bob.restart();
    world.run(10 * secondMs);
    const id = ada.send(bob, 'hello', 600);
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    const headline = ada.headline(id);
    expect(headline.state).toBe('delivered');
    if (headline.state === 'delivered') expect(headline.atMs).toBeLessThanOrEqual(ada.now.wallMs);
  });

  it.each(errors)('a relay whose clock is a day %s keeps a letter for its time', (_word, errorMs) => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.powerOff();
    const id = ada.send(bob, 'hello', 7_200);
    world.run(minuteMs);
    relay.clockErrorMs = errorMs;
    world.run(hourMs);
    bob.restart();
    world.run(minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it.each([-2_000, -5, 5, 2_000])('one of two own relays whose clock is wrong by %d days keeps no letter out, and ends none', (days) => {
    const { world, ada, bob, bobsRelays: [, wrong] } = friends(2);
    const waiting = bob.send(ada, 'written before');
    if (wrong === undefined) throw new Error('there are two');
    wrong.clockErrorMs = days * dayMs;
    // Clocks are asked for every few minutes.
    world.run(20 * minuteMs);
    const id = ada.send(bob, 'hello');
    const back = bob.send(ada, 'back');
    world.run(5 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect([ada.state(id), bob.state(back), bob.state(waiting)]).toEqual(['delivered', 'delivered', 'delivered']);
    expect(bob.count('inbox.unopenable')).toBe(0);
  });

  it('the time to live on the wire is never more than was asked for, whatever the clock does', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.cutOff = true;
    ada.send(bob, 'hello', 30 * 86_400);
    world.run(minuteMs);
    ada.clockErrorMs = -2 * dayMs;
    relay.cutOff = false;
    world.run(10 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('a letter whose time ended while the sender was off is expired and not sent', () => {
    const { world, ada, bob } = friends();
    ada.cutOff = true;
    const id = ada.send(bob, 'hello', 60);
    ada.powerOff();
    world.run(hourMs);
    ada.cutOff = false;
    ada.restart();
    world.run(2 * minuteMs);
    expect(bob.inbox()).toEqual([]);
    expect(ada.state(id)).toBe('expired');
  });
});
