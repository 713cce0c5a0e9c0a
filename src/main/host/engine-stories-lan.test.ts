/** Whole engines: two friends in one local network find each other without any relay. */
import { describe, expect, it } from 'vitest';
import { friends as friendsIn, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/inspection-types.ts';

interface Home { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode }

/** Friends who know each other, and are nearer only by what is said in the local network. */
function friendsSomewhere(): Home {
  const { world, ada, bob } = friendsIn(1, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
  world.run(5 * secondMs);
  return { world, ada, bob };
}

/** Their relays are gone for good, and so are all sessions. */
function friendsAtHome(): Home {
  const { world, ada, bob } = friendsSomewhere();
  for (const node of world.nodes) if (node !== ada && node !== bob) node.cutOff = true;
  ada.restart();
  bob.restart();
  return { world, ada, bob };
}

const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const kinds = (node: StoryNode): readonly string[] => contactOf(node)?.paths.map(({ kind }) => kind) ?? [];
const plugIn = (...nodes: readonly StoryNode[]): void => { for (const node of nodes) node.plugIn(); };

describe('friends in one local network without any relay', () => {
  it('find each other when the second comes, and letters go both ways, once', () => {
    const { world, ada, bob } = friendsAtHome();
    plugIn(ada);
    world.run(20 * secondMs);
    plugIn(bob);
    world.run(5 * secondMs);
    const ids = [ada.send(bob, 'is anybody at home?'), bob.send(ada, 'I am')] as const;
    world.run(20 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan'], ['lan']]);
    expect([ada.inbox(), bob.inbox()]).toEqual([['I am'], ['is anybody at home?']]);
    expect([ada.state(ids[0]), bob.state(ids[1])]).toEqual(['delivered', 'delivered']);
    world.run(120 * secondMs);
    expect([ada.inbox().length, bob.inbox().length]).toEqual([1, 1]);
  });

  it('get what was written while the other was not there', () => {
    const { world, ada, bob } = friendsAtHome();
    plugIn(ada);
    const id = ada.send(bob, 'for when you come home');
    world.run(3_600 * secondMs);
    expect(bob.inbox()).toEqual([]);
    plugIn(bob);
    world.run(20 * secondMs);
    expect(bob.inbox()).toEqual(['for when you come home']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('find each other again when one starts anew, and when their session was over for want of anything to say', () => {
    const { world, ada, bob } = friendsAtHome();
    plugIn(ada, bob);
    world.run(10 * secondMs);
    bob.restart();
    plugIn(bob);
    world.run(10 * secondMs);
    bob.send(ada, 'here I am again');
    world.run(20 * secondMs);
    expect(ada.inbox()).toEqual(['here I am again']);
    world.run(1_500 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([[], []]);
    ada.send(bob, 'after a while');
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['after a while']);
  });

  it('send nothing for hours but a question now and then', () => {
    const { world, ada, bob } = friendsAtHome();
    plugIn(ada, bob);
    world.run(1_500 * secondMs);
    // The relay that is gone is asked too, by both.
    const asked = ada.count('lan.asked');
    const sessions = ada.count('peer.unwelcome');
    world.run(3_600 * secondMs);
    expect(ada.count('lan.asked') - asked).toBeLessThanOrEqual(61);
    expect(ada.count('lan.asked') - asked).toBeGreaterThanOrEqual(29);
    expect(ada.count('peer.unwelcome')).toBe(sessions);
    expect(kinds(ada)).toEqual([]);
  });

  it('do not where one does not trust the network, wants to be hidden, has it off, or has blocked the other', () => {
    const refusals: readonly ((bob: StoryNode, ada: StoryNode) => void)[] = [
      (bob) => { bob.command({ name: 'trust-network', isTrusted: false }); },
      (bob) => { bob.command({ name: 'update-settings', settings: { hideAddress: true } }); },
      (bob) => { bob.command({ name: 'update-settings', settings: { lanDiscovery: false } }); },
      (bob, ada) => { bob.command({ name: 'block', publicKey: ada.publicKey }); },
    ];
    for (const refuse of refusals) {
      const { world, ada, bob } = friendsAtHome();
      plugIn(bob);
      refuse(bob, ada);
      plugIn(ada);
      world.run(secondMs);
      const before = bob.sent;
      let toAda = 0;
      world.passes = (from, to) => { if (from === bob && to === ada) toAda += 1; return true; };
      ada.send(bob, 'are you here?');
      world.run(120 * secondMs);
      expect([bob.inbox(), kinds(ada), kinds(bob)]).toEqual([[], [], []]);
      expect(bob.sent).toBeGreaterThanOrEqual(before);
      // Whoever blocked somebody asks for others still; nothing of that is for them.
      expect(ada.count('lan.question') + ada.count('lan.answer') + ada.count('lan.knock')).toBe(0);
      if (bob.engine.inspect.lan?.state !== 'on') expect(toAda).toBe(0);
    }
  });

  it('do again once the network is trusted', () => {
    const { world, ada, bob } = friendsAtHome();
    plugIn(ada, bob);
    bob.command({ name: 'trust-network', isTrusted: false });
    expect(bob.engine.inspect.lan).toEqual({ state: 'untrusted', foundContacts: 0 });
    bob.restart();
    plugIn(bob);
    expect(bob.engine.inspect.lan?.state).toBe('untrusted');
    world.run(10 * secondMs);
    bob.command({ name: 'trust-network', isTrusted: true });
    world.run(10 * secondMs);
    expect(bob.engine.inspect.lan).toEqual({ state: 'on', foundContacts: 1 });
    ada.send(bob, 'good');
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['good']);
  });
});

describe('friends who have a relay too', () => {
  it('have a circuit in reserve although they met in the local network, and lose nothing when one leaves it', () => {
    const { world, ada, bob } = friendsSomewhere();
    plugIn(ada, bob);
    world.run(10 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
    world.passes = (from, to) => !((from === ada && to === bob) || (from === bob && to === ada));
    const id = bob.send(ada, 'I went out');
    world.run(5 * secondMs);
    expect([ada.inbox(), bob.state(id)]).toEqual([['I went out'], 'delivered']);
  });

  it('come nearer by what is said in the local network, and go on through the relay when one leaves it', () => {
    const { world, ada, bob } = friendsSomewhere();
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(5 * secondMs);
    expect(kinds(ada)).toEqual(['relay']);
    plugIn(ada, bob);
    world.run(10 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
    world.passes = (from, to) => !((from === ada && to === bob) || (from === bob && to === ada));
    const id = ada.send(bob, 'I went out');
    world.run(30 * secondMs);
    expect(bob.inbox()).toEqual(['I went out']);
    expect([ada.state(id), kinds(ada)]).toEqual(['delivered', ['relay']]);
  });
});
