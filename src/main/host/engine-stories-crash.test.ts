/** Power cuts between commits, and the promise of exactly once. */
import { describe, expect, it } from 'vitest';
import { readWithoutPower, writeWithoutPower } from './story-power-cuts-testing.ts';
import type { MailResults } from '../engine/mail/mail-store.ts';
import { dayMs, forge, friends, hourMs, minuteMs, secondMs, type StoryNode } from './engine-stories-testing.ts';

const moments = [0, 1, 2, 3, 4];

describe('power cuts', () => {
  for (const mode of ['drop', 'keep'] as const) {
    it.each(moments)(`the sender may lose power at commit %i (${mode}): an accepted letter arrives once`, (moment) => { writeWithoutPower(friends(), { moment, mode }); });

    it.each(moments)(`the recipient may lose power at commit %i (${mode}): the letter is shown once and confirmed`, (moment) => {
      const all = friends();
      readWithoutPower(all, all.bob, { moment, mode });
    });

    it.each(moments)(`the relay may lose power at commit %i (${mode}): the letter is shown once and confirmed`, (moment) => {
      const all = friends();
      readWithoutPower(all, all.bobsRelays[0], { moment, mode });
    });
  }

  it('nothing is acknowledged to a relay before letter and receipt are on the disk', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    world.run(minuteMs);
    const acks = relay.mailCount('ack');
    const receipts = (): number => bob.disk().outbox.filter((row) => row.kind === 'receipt').length;
    const before = receipts();
    bob.holdCommits = true;
    ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(relay.mailCount('ack')).toBe(acks);
    bob.stores.commit();
    bob.drain();
    // Letter and receipt share one transaction; only now may the relay let go of its copy.
    expect(receipts()).toBe(before + 1);
    bob.holdCommits = false;
    world.run(secondMs);
    expect(relay.mailCount('ack')).toBe(acks + 1);
  });

  it('a prekey reaches no relay before its secret is on the disk', () => {
    const { world, bob, bobsRelays: [relay] } = friends();
    world.sleep(7 * dayMs - hourMs);
    world.run(30 * minuteMs);
    const published = relay.mail.filter(({ request }) => request.op === 'put-record' && request.kind === 'prekey').length;
    bob.holdCommits = true;
    world.run(2 * hourMs);
    const after = relay.mail.filter(({ request }) => request.op === 'put-record' && request.kind === 'prekey');
    bob.powerOff('drop');
    const known = bob.disk().prekeys.map((row) => Buffer.from(row.bundle).toString('hex'));
    expect(known).toHaveLength(1);
    for (const { request } of after.slice(published)) expect(known).toContain(request.op === 'put-record' ? Buffer.from(request.bytes).toString('hex') : '');
  });

  it('copies are taken back only when the confirmation is on the disk', () => {
    const { world, ada, bob, bobsRelays } = friends(2);
    const withdrawn = (): number => bobsRelays.reduce((sum, relay) => sum + relay.mailCount('withdraw'), 0);
    const before = withdrawn();
    world.passes = (_from, to) => to !== bob;
    const id = ada.send(bob, 'hello');
    world.run(2 * secondMs);
    expect(ada.state(id)).toBe('stored');
    ada.holdCommits = true;
    world.passes = () => true;
    bob.restart();
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    // The receipt letter is here, what it says is not on the disk yet.
    expect(withdrawn()).toBe(before);
    ada.holdCommits = false;
    world.run(5 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    expect(withdrawn()).toBeGreaterThan(before);
  });
});

describe('exactly once', () => {
  it('two relays hold a copy and one message is shown', () => {
    const { world, ada, bob, bobsRelays } = friends(2);
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(2 * secondMs);
    expect(bobsRelays.map((relay) => relay.mail.filter(({ request, result }) => request.op === 'deposit' && request.lane === 'letter' && 'outcome' in result && result.outcome === 'stored').length > 0)).toEqual([true, true]);
    bob.restart();
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('a letter sealed anew under its id is shown once, also after a restart', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const state = bob.disk();
    forge(ada, bob, relay, { kind: 'text', text: 'again' }, { messageId: 'ab'.repeat(16), sequence: 7 });
    bob.restart();
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['again']);
    forge(ada, bob, relay, { kind: 'text', text: 'again' }, { messageId: 'ab'.repeat(16), sequence: 7 });
    forge(ada, bob, relay, { kind: 'text', text: 'again' }, { messageId: 'ab'.repeat(16), sequence: 7 });
    bob.restart();
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['again']);
    expect(state.prekeys).toHaveLength(1);
    expect(waiting(relay, bob)).toBe(0);
  });

  it('a relay that lists every letter twice changes nothing', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.tamper = (request, result) => {
      const { entries, remaining } = result as MailResults['list'];
      return request.op === 'list' ? { entries: entries.flatMap((entry) => [entry, entry]), remaining } : result;
    };
    ada.send(bob, 'one');
    ada.send(bob, 'two');
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['one', 'two']);
  });

  it('late and early letters each show once, with a gap marker until the gap is filled', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    forge(ada, bob, relay, { kind: 'text', text: 'third' }, { sequence: 3 });
    bob.restart();
    world.run(5 * secondMs);
    const page = () => bob.stores.query({ query: 'page', conversationId: `${ada.publicKey}:1`, beforeRow: undefined, limit: 10 }).messages.map((message) => [message.text, message.missingBefore]);
    expect(page()).toEqual([['third', 2]]);
    forge(ada, bob, relay, { kind: 'text', text: 'first' }, { sequence: 1 });
    bob.restart();
    world.run(5 * secondMs);
    expect(page()).toEqual([['first', 0], ['third', 1]]);
    forge(ada, bob, relay, { kind: 'text', text: 'second' }, { sequence: 2 });
    bob.restart();
    world.run(5 * secondMs);
    expect(page()).toEqual([['first', 0], ['second', 0], ['third', 0]]);
  });
});

/** Letters that lie in the mailbox. */
function waiting(relay: StoryNode, owner: StoryNode): number {
  let letters = -1;
  const deviceId = owner.disk().device?.deviceId ?? '';
  relay.stores.submit('mail', { op: 'list', mailbox: { identity: owner.publicKey, deviceId }, afterSequence: 0, mostBytes: 100_000, elapsedMs: relay.world.timeMs }, (outcome) => {
    if (outcome.ok && 'entries' in outcome.result) letters = outcome.result.entries.length;
  });
  relay.stores.commit();
  return letters;
}
