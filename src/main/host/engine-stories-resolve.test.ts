/** Somebody is found by their bare key: at own relays, at the peers of these, at directory relays; and nobody is told lies. */
import { describe, expect, it } from 'vitest';
import { befriend, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { formatRelayHint } from '../engine/wire/relay-hint.ts';
import type { Invite, RelayHint } from '../engine/wire/types.ts';

const bare = (node: StoryNode): Invite => ({ publicKey: node.publicKey, port: 1, token: undefined, name: '', relays: [] });

/** Ada's relay asks Bob's when it does not know somebody. */
function apart(): { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode; readonly adasRelay: StoryNode; readonly bobsRelay: StoryNode } {
  const world = new StoryWorld();
  const bobsRelay = world.relay('relay of bob');
  const adasRelay = world.relay('relay of ada', { peers: [bobsRelay.hint] });
  const ada = world.add('ada');
  const bob = world.add('bob');
  ada.addRelay(adasRelay);
  bob.addRelay(bobsRelay);
  world.run(2 * secondMs);
  return { world, ada, bob, adasRelay, bobsRelay };
}

describe('somebody whose bare key is all that is known', () => {
  it('is found through a peer of an own relay, and the letter arrives as a request', () => {
    const { world, ada, bob, adasRelay, bobsRelay } = apart();
    const messageId = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(bob.contact(ada)?.standing).toBe('request');
    expect(ada.state(messageId)).toBe('stored');
    expect([adasRelay.count('directory.asked'), bobsRelay.count('directory.asked')]).toEqual([1, 0]);
    // The introduction that came along says where the answer goes: Bob's relay asks nobody.
    bob.command({ name: 'accept', publicKey: ada.publicKey });
    world.run(10 * secondMs);
    expect([ada.state(messageId), ada.contact(bob)?.standing]).toEqual(['delivered', 'contact']);
    bob.send(ada, 'hello, too');
    world.run(10 * secondMs);
    expect(ada.inbox()).toEqual(['hello, too']);
  });

  it('is found in both directions when both relays ask each other', () => {
    const world = new StoryWorld();
    const peers: RelayHint[] = [];
    const adasRelay = world.relay('relay of ada', { peers });
    const bobsRelay = world.relay('relay of bob', { peers: [adasRelay.hint] });
    peers.push(bobsRelay.hint);
    adasRelay.restart();
    const [ada, bob, cid] = [world.add('ada'), world.add('bob'), world.add('cid')];
    ada.addRelay(adasRelay);
    cid.addRelay(adasRelay);
    bob.addRelay(bobsRelay);
    world.run(2 * secondMs);
    const toBob = ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: 'hello', ttlSeconds: undefined });
    bob.send(cid, 'hello, Cid');
    world.run(20 * secondMs);
    expect([ada.replies.get(toBob)?.ok, cid.inbox(), bob.inbox()]).toEqual([true, ['hello, Cid'], ['hello']]);
    expect([adasRelay.count('directory.asked'), bobsRelay.count('directory.asked')]).toEqual([1, 1]);
  });

  it('can be added as a friend', () => {
    const { world, ada, bob } = apart();
    ada.command({ name: 'add-contact', invite: bare(bob), as: 'Bob' });
    world.run(10 * secondMs);
    expect([ada.contact(bob)?.standing, bob.contact(ada)?.standing]).toEqual(['pending', 'request']);
    bob.command({ name: 'accept', publicKey: ada.publicKey });
    world.run(10 * secondMs);
    expect([ada.contact(bob)?.standing, bob.contact(ada)?.standing]).toEqual(['contact', 'contact']);
  });

  it('is waited for with a sentence that says what helps, and found once a relay knows them', () => {
    const { world, ada, bob, bobsRelay } = apart();
    bobsRelay.powerOff();
    const messageId = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    expect(ada.headline(messageId)).toMatchObject({ state: 'queued', reason: 'no-relay-known' });
    bobsRelay.restart();
    world.run(6 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('is found at a directory relay, which is asked only when own relays do not know them', () => {
    const world = new StoryWorld();
    const [adasRelay, bobsRelay] = [world.relay('relay of ada'), world.relay('relay of bob')];
    const directory = world.relay('directory', { peers: [bobsRelay.hint] });
    const [ada, bob, cid] = [world.add('ada'), world.add('bob'), world.add('cid')];
    ada.addRelay(adasRelay);
    cid.addRelay(adasRelay);
    bob.addRelay(bobsRelay);
    world.run(2 * secondMs);
    const messageId = ada.send(bob, 'hello');
    world.run(20 * secondMs);
    expect(ada.headline(messageId)).toMatchObject({ state: 'queued', reason: 'no-relay-known' });
    expect(ada.command({ name: 'update-settings', settings: { directoryRelays: ['nowhere'] } })).toMatchObject({ ok: false, code: 'bad-relay' });
    const hint = formatRelayHint(directory.hint);
    expect(ada.command({ name: 'update-settings', settings: { directoryRelays: [hint, ` ${hint.toUpperCase()}`] } })).toMatchObject({ ok: true, value: { directoryRelays: [hint] } });
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    const asked = directory.count('directory.answered') + directory.count('directory.not-found');
    ada.send(cid, 'hello');
    world.run(5 * secondMs);
    expect(cid.inbox()).toEqual(['hello']);
    expect(directory.count('directory.answered') + directory.count('directory.not-found')).toBe(asked);
  });

  it('is found when they have left all relays that were known of them', () => {
    const { world, ada, adasRelay, bobsRelay } = apart();
    const old = world.relay('old');
    const cid = world.add('cid');
    cid.addRelay(old);
    world.run(2 * secondMs);
    befriend(ada, cid);
    // The introduction that tells of the move does not come through.
    world.passes = (from, to) => !(from === cid && to === adasRelay);
    cid.addRelay(bobsRelay);
    world.run(minuteMs);
    cid.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.run(minuteMs);
    old.powerOff();
    // By then Ada asks again where they are.
    world.sleep(7 * hourMs);
    world.run(minuteMs);
    expect(ada.contact(cid)?.relays.map((hint) => hint.publicKey)).toEqual([old.publicKey]);
    ada.send(cid, 'where are you?');
    world.run(15 * minuteMs);
    expect(cid.inbox()).toContain('where are you?');
    expect(adasRelay.count('directory.asked')).toBe(1);
  });
});
