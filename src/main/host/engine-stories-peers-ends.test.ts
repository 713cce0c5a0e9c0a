/** Whole engines: how sessions between friends end, when nobody says so or when somebody else comes with the same name. */
import { describe, expect, it } from 'vitest';
import { friends as friendsIn, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/engine-types.ts';

const friends = (): ReturnType<typeof friendsIn> => friendsIn(1, {}, new StoryWorld({ visorsMeet: true }));
const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const reach = (from: StoryNode, to: StoryNode): void => { from.command({ name: 'reach', publicKey: to.publicKey }); };

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
});
