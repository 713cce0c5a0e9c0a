/** What the person is told about a letter is true, and copies are as many as promised. */
import { describe, expect, it } from 'vitest';
import { befriend, friends, hourMs, isTestLetter, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

const deposits = (relay: StoryNode): number => relay.mail.filter(({ request }) => (request.op === 'deposit' || request.op === 'check-deposit') && request.lane === 'letter').length;
const stored = (relay: StoryNode): number => relay.mail.filter(({ request, result }) => request.op === 'deposit' && request.lane === 'letter' && 'outcome' in result && result.outcome === 'stored').length;

describe('states', () => {
  it.each(['expired', 'withdrawn', 'unknown'] as const)('a signed receipt that says %s is not shown as stored, and the letter is sealed anew', (state) => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    let lies = true;
    relay.instead = (request) => (lies && request.op === 'deposit' && request.lane === 'letter' ? { outcome: 'duplicate', sequence: 1, remainingSeconds: 0, state } : undefined);
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('queued');
    lies = false;
    world.run(6 * minuteMs);
    expect(ada.state(id)).toBe('stored');
    bob.restart();
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('a deposit that is answered with unopenable is sealed anew instead of repeated for ever', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const letterIds = new Set<string>();
    let first = '';
    relay.tamper = (request, result) => {
      if (request.op !== 'deposit' || request.lane !== 'letter' || isTestLetter(request)) return result;
      const letterId = Buffer.from(request.letterId).toString('hex');
      letterIds.add(letterId);
      if (first === '') first = letterId;
      return letterId === first ? { outcome: 'duplicate', sequence: 1, remainingSeconds: 60, state: 'unopenable' } : result;
    };
    const id = ada.send(bob, 'hello');
    world.run(2 * minuteMs);
    expect(letterIds.size).toBe(2);
    expect(ada.state(id)).toBe('delivered');
    // The first one was in the mailbox after all: the same message, shown once.
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('after sealing anew a relay that holds the old letter is not said to hold the new one', () => {
    const { world, ada, bob, bobsRelays: [first, second] } = friends(2);
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(5 * secondMs);
    const before = ada.headline(id);
    expect(before.state === 'stored' ? before.heldBy.map((held) => held.relay).sort() : []).toEqual([first.publicKey, second?.publicKey].sort());
    if (second === undefined) throw new Error('two relays');
    second.off = true;
    first.tamper = (request, result) => (request.op === 'status' ? { states: request.letterIds.map(() => ({ state: 'unopenable' as const, secondsSince: 1 })) } : result);
    world.run(70 * secondMs);
    first.tamper = undefined;
    world.run(30 * secondMs);
    const after = ada.headline(id);
    expect(after.state === 'stored' ? after.heldBy.map((held) => held.relay) : []).toEqual([first.publicKey]);
  });

  it('a copy that is lost while the other relay is down is noticed and deposited again', () => {
    const { world, ada, bob, bobsRelays: [first, second] } = friends(2);
    if (second === undefined) throw new Error('two relays');
    bob.powerOff();
    second.off = true;
    const id = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    expect(ada.state(id)).toBe('stored');
    const before = deposits(first);
    let lost = true;
    first.tamper = (request, result) => (lost && request.op === 'status' ? { states: request.letterIds.map(() => ({ state: 'unknown' as const, secondsSince: 0 })) } : result);
    world.run(10 * minuteMs);
    lost = false;
    expect(deposits(first)).toBeGreaterThan(before);
  });

  it('on a quiet link a letter whose time is over is first unconfirmed, then expired, and its row ends', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.powerOff();
    const id = ada.send(bob, 'hello', 120);
    world.run(110 * secondMs);
    expect(ada.state(id)).toBe('stored');
    world.run(60 * secondMs);
    expect(ada.state(id)).toBe('expired');
    expect(ada.hops(id)).toContain('unconfirmed');
    expect(ada.engine.inspect.outbox()).toEqual([]);
    const before = deposits(relay);
    world.run(3 * hourMs);
    expect(deposits(relay)).toBe(before);
  });

  it('while an own relay cannot be asked it stays unconfirmed, is never sent again, and ends when no receipt can be waiting', () => {
    const { world, ada, bob, adasRelay, bobsRelays: [relay] } = friends();
    bob.powerOff();
    const id = ada.send(bob, 'hello', 120);
    world.run(10 * secondMs);
    adasRelay.off = true;
    world.run(3 * minuteMs);
    expect(ada.state(id)).toBe('unconfirmed');
    const before = deposits(relay);
    world.run(6 * hourMs);
    expect(ada.state(id)).toBe('unconfirmed');
    expect(deposits(relay)).toBe(before);
    adasRelay.powerOff();
    world.sleep(14 * 24 * hourMs);
    world.run(10 * minuteMs);
    expect(ada.state(id)).toBe('expired');
    expect(ada.disk().outbox.filter((row) => row.id === id)).toEqual([]);
  });

  it('a letter that never left is expired at once when its time is over', () => {
    const { world, ada, bob } = friends();
    ada.cutOff = true;
    world.run(3 * minuteMs);
    const id = ada.send(bob, 'hello', 60);
    world.run(61 * secondMs);
    expect(ada.state(id)).toBe('expired');
  });

  it('a deposit whose answer was lost may have arrived: its end is not called expired before the mailbox was asked', () => {
    const { world, ada, bob, adasRelay, bobsRelays: [relay] } = friends();
    world.passes = (from) => from !== relay && from !== adasRelay;
    const id = ada.send(bob, 'hello', 60);
    world.run(61 * secondMs);
    expect(bob.inbox()).toEqual([]);
    expect(ada.state(id)).toBe('unconfirmed');
  });

  it('a late receipt turns cancelled into delivered, and a cancelled letter that nobody fetched is never shown', () => {
    const { world, ada, bob } = friends(2);
    world.passes = (from, to) => to !== ada || from === ada;
    const delivered = ada.send(bob, 'too late');
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['too late']);
    ada.command({ name: 'cancel', messageId: delivered });
    expect(ada.state(delivered)).toBe('cancelled');
    world.passes = () => true;
    world.run(5 * minuteMs);
    expect(ada.state(delivered)).toBe('delivered');
    bob.powerOff();
    const cancelled = ada.send(bob, 'never');
    world.run(5 * secondMs);
    ada.command({ name: 'cancel', messageId: cancelled });
    world.run(10 * secondMs);
    bob.restart();
    world.run(minuteMs);
    expect(bob.inbox()).toEqual(['too late']);
    expect(ada.disk().outbox).toEqual([]);
  });

  it('when their relay is down it is not said that they are unknown, whatever our own relay has heard of them', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.off = true;
    world.run(7 * hourMs);
    const id = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    const headline = ada.headline(id);
    expect(headline.state === 'queued' ? headline.reason : headline.state).toBe('relay-unreachable');
  });
});

describe('copies', () => {
  it('two of three relays get a copy; when one is down the third is used; the receipt takes the others back', () => {
    const { world, ada, bob, bobsRelays: [first, second, third] } = friends(3);
    if (second === undefined || third === undefined) throw new Error('three relays');
    world.run(2 * minuteMs);
    bob.powerOff();
    second.off = true;
    const before = [stored(first), stored(third)];
    const id = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    expect([stored(first), stored(third)]).toEqual(before.map((count) => count + 1));
    const headline = ada.headline(id);
    expect(headline.state === 'stored' ? headline.heldBy.length : 0).toBe(2);
    second.off = false;
    world.passes = (from, to) => from !== third || to !== bob;
    bob.restart();
    world.run(minuteMs);
    expect(ada.state(id)).toBe('delivered');
    expect(third.mail.some(({ request, result }) => request.op === 'withdraw' && 'state' in result && result.state === 'withdrawn')).toBe(true);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('a recipient who has moved to another relay still gets what waits at the old one', () => {
    const world = new StoryWorld();
    const adasRelay = world.relay('relay of ada');
    const oldRelay = world.relay('old');
    const newRelay = world.relay('new');
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    ada.addRelay(adasRelay);
    bob.addRelay(oldRelay);
    world.run(2 * secondMs);
    befriend(ada, bob);
    world.passes = (from, to) => from !== oldRelay || to !== bob;
    const id = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('stored');
    bob.addRelay(newRelay);
    bob.command({ name: 'remove-relay', publicKey: oldRelay.publicKey });
    oldRelay.off = true;
    world.run(2 * hourMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('two people who move at the same time, each away from the only relay that the other knows, find each other again', () => {
    const world = new StoryWorld();
    const [one, two] = [world.relay('one'), world.relay('two')];
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    ada.addRelay(one);
    bob.addRelay(two);
    world.run(2 * secondMs);
    befriend(ada, bob);
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(5 * secondMs);
    bob.restart();
    // Bob moves before he has fetched it, and what he writes about it lies where Ada looks no longer.
    world.passes = (from, to) => !(from === two && to === bob && world.timeMs < 60 * secondMs);
    bob.addRelay(one);
    bob.command({ name: 'remove-relay', publicKey: two.publicKey });
    ada.addRelay(two);
    ada.command({ name: 'remove-relay', publicKey: one.publicKey });
    world.run(2 * hourMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });
});
