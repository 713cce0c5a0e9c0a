/** Whole engines: two friends in one local network find each other without any relay. */
import { describe, expect, it } from 'vitest';
import { friends as friendsIn, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/engine-types.ts';

interface Home { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode }

/** Friends who know each other, and whose relays are gone for good. */
function friendsAtHome(): Home {
  const { world, ada, bob } = friendsIn(1, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
  world.run(5 * secondMs);
  for (const node of world.nodes) if (node !== ada && node !== bob) node.cutOff = true;
  // Sessions with relays, and with each other, are over.
  ada.restart();
  bob.restart();
  return { world, ada, bob };
}

const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const kinds = (node: StoryNode): readonly string[] => contactOf(node)?.paths.map(({ kind }) => kind) ?? [];

describe('friends in one local network without any relay', () => {
  it('find each other when the second comes, and letters go both ways, once', () => {
    const { world, ada, bob } = friendsAtHome();
    ada.plugIn([{ host: ada.host, prefixBits: 24 }]);
    world.run(20 * secondMs);
    bob.plugIn([{ host: bob.host, prefixBits: 24 }]);
    world.run(5 * secondMs);
    const ids = [ada.send(bob, 'is anybody at home?'), bob.send(ada, 'I am')] as const;
    world.run(20 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan'], ['lan']]);
    expect([ada.inbox(), bob.inbox()]).toEqual([['I am'], ['is anybody at home?']]);
    expect([ada.state(ids[0]), bob.state(ids[1])]).toEqual(['delivered', 'delivered']);
    world.run(120 * secondMs);
    expect([ada.inbox().length, bob.inbox().length]).toEqual([1, 1]);
  });
});
