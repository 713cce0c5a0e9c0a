/** Whole engines: how sessions between friends end, when nobody says so or when somebody else comes with the same name. */
import { describe, expect, it } from 'vitest';
import { friends as friendsIn, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/inspection-types.ts';

const friends = (): ReturnType<typeof friendsIn> => friendsIn(1, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const reach = (from: StoryNode, to: StoryNode): void => { from.command({ name: 'reach', publicKey: to.publicKey }); };

/** His identity on another device, which has met her. */
function restore(former: StoryNode, relay: StoryNode, contact: StoryNode): StoryNode {
  const { world } = former;
  const restored = world.add(`${former.name} restored`, {}, undefined, former.identitySecret);
  restored.addRelay(relay);
  restored.command({ name: 'add-contact', invite: contact.invite(), as: undefined });
  world.run(2 * secondMs);
  reach(restored, contact);
  world.run(2 * secondMs);
  return restored;
}

describe('a session with a friend', () => {
  it.each(['who asked', 'who was asked'] as const)('is over soon after the one %s went without a word', (who) => {
    const { world, ada, bob } = friends();
    reach(ada, bob);
    world.run(3 * secondMs);
    const [gone, left] = who === 'who asked' ? [ada, bob] : [bob, ada];
    gone.powerOff();
    world.run(45 * secondMs);
    expect(contactOf(left)).toBe(undefined);
    gone.restart();
    world.run(5 * secondMs);
    reach(gone, left);
    world.run(5 * secondMs);
    expect([contactOf(gone)?.publicKey, contactOf(left)?.publicKey]).toEqual([left.publicKey, gone.publicKey]);
  });

  it('is left for one with the device that has taken the place of theirs, and nothing of it goes on', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    reach(ada, bob);
    world.run(5 * secondMs);
    bob.powerOff();
    world.run(secondMs);
    const restored = restore(bob, relay, ada);
    expect([contactOf(ada)?.paths.length, contactOf(restored)?.publicKey]).toEqual([1, ada.publicKey]);
    const id = ada.send(restored, 'hello');
    world.run(5 * secondMs);
    expect([restored.inbox(), ada.state(id)]).toEqual([['hello'], 'delivered']);
    world.run(15 * minuteMs);
    expect(contactOf(ada)).toBe(undefined);
    const gone = ada.count('circuit.gone');
    world.run(30 * minuteMs);
    expect(ada.count('circuit.gone')).toBe(gone);
  });

  it('stays with the newer device when the older one comes', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    world.run(secondMs);
    const restored = restore(bob, relay, ada);
    const sessions = ada.engine.inspect.sessions;
    bob.cutOff = false;
    world.passes = (from, to) => from !== bob || to !== relay;
    for (let round = 0; round < 20; round += 1) { reach(bob, ada); world.run(10 * secondMs); }
    expect([contactOf(ada)?.paths.length, contactOf(restored)?.publicKey, contactOf(bob)]).toEqual([1, ada.publicKey, undefined]);
    expect(ada.engine.inspect.sessions).toBeLessThanOrEqual(sessions);
  });

  it('ends when another device has taken the place of this one, which is given no letter any more', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    reach(ada, bob);
    world.run(5 * secondMs);
    world.add('bob restored', {}, undefined, bob.identitySecret).addRelay(relay);
    for (let round = 0; round < 12; round += 1) { world.run(5 * minuteMs); reach(ada, bob); }
    world.runUntil(() => bob.engine.inspect.connection.kind === 'revoked', 2 * 60 * minuteMs);
    world.run(secondMs);
    expect([contactOf(ada), contactOf(bob)]).toEqual([undefined, undefined]);
    ada.send(bob, 'hello');
    reach(bob, ada);
    world.run(5 * minuteMs);
    expect([contactOf(ada), contactOf(bob), bob.inbox()]).toEqual([undefined, undefined, []]);
  });
});
