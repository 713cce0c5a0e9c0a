/** Letters whose time is over while not all relays can be asked for a receipt: they wait as unconfirmed, and nothing turns in circles meanwhile. */
import { describe, expect, it } from 'vitest';
import { friends, hourMs, minuteMs, secondMs } from './engine-stories-testing.ts';

/** Looked into every five minutes, and registered every hour. */
const listsInTwoHoursMaximum = 40;

describe('a letter whose time is over', () => {
  it('does not make a visor list without pause because one of its relays is off', () => {
    const { world, ada, bob, bobsRelays: [old] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    world.run(minuteMs);
    old.powerOff();
    ada.powerOff();
    const id = bob.send(ada, 'hello', 60);
    world.run(30 * secondMs);
    const before = next.mailCount('list');
    world.run(2 * hourMs);
    expect(next.mailCount('list') - before).toBeLessThanOrEqual(listsInTwoHoursMaximum);
    expect(bob.state(id)).toBe('unconfirmed');
    old.restart();
    world.run(10 * minuteMs);
    expect(bob.state(id)).toBe('expired');
  });

  it('nor because a relay promises letters that it never shows; once that one is removed, it is not waited for', () => {
    const { world, ada, bob, bobsRelays: [liar] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    world.run(minuteMs);
    liar.tamper = (request, result) => (request.op === 'list' && 'remaining' in result ? { ...result, entries: [], remaining: 3 } : result);
    ada.powerOff();
    const id = bob.send(ada, 'hello', 60);
    const before = liar.mailCount('list');
    world.run(2 * hourMs);
    expect(liar.mailCount('list') - before).toBeLessThanOrEqual(2 * listsInTwoHoursMaximum);
    expect(bob.state(id)).toBe('unconfirmed');
    bob.command({ name: 'remove-relay', publicKey: liar.publicKey });
    world.run(30 * minuteMs);
    expect(bob.state(id)).toBe('expired');
  });
});

describe('looking into the mailbox by oneself', () => {
  it('goes on when it falls due while a letter from the doorbell is being written', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    world.run(minuteMs);
    const lists = (): number => relay.mailCount('list');
    let before = lists();
    while (lists() === before) world.run(secondMs);
    before = lists();
    world.run(5 * minuteMs - 5 * secondMs);
    expect(lists()).toBe(before);
    bob.holdCommits = true;
    ada.send(bob, 'hello');
    world.run(10 * secondMs);
    bob.holdCommits = false;
    world.run(10 * secondMs);
    const after = lists();
    world.run(20 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(lists() - after).toBeGreaterThanOrEqual(3);
  });
});
