/** Whole engines: two friends who are both here get a session of their own through a relay, and lose it when one leaves. */
import { describe, expect, it } from 'vitest';
import { friends as friendsIn, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/inspection-types.ts';

const friends = (relayCount = 1): ReturnType<typeof friendsIn> => friendsIn(relayCount, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
const near = (relayCount = 1): ReturnType<typeof friendsIn> => friendsIn(relayCount, {}, new StoryWorld({ visorsMeet: 'directly' }));
const kinds = (node: StoryNode): readonly string[] => contactOf(node)?.paths.map(({ kind, isDoubtful }) => `${kind}${isDoubtful ? '?' : ''}`) ?? [];
const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const reach = (from: StoryNode, to: StoryNode): void => { from.command({ name: 'reach', publicKey: to.publicKey }); };

describe('a session between friends', () => {
  it('is made through a relay of the one who is asked, and each knows the other by certificate', () => {
    const { world, ada, bob, bobsRelays } = friends();
    reach(ada, bob);
    world.run(3 * secondMs);
    expect(contactOf(ada)).toMatchObject({ publicKey: bob.publicKey, paths: [{ kind: 'relay', relay: bobsRelays[0].publicKey, isCurrent: true, isDoubtful: false }] });
    expect(contactOf(bob)).toMatchObject({ publicKey: ada.publicKey, paths: [{ kind: 'relay', relay: bobsRelays[0].publicKey, isCurrent: true }] });
  });

  it('stays one session when both ask at once', () => {
    const { world, ada, bob } = friends();
    reach(ada, bob);
    reach(bob, ada);
    world.run(20 * secondMs);
    expect([contactOf(ada)?.publicKey, contactOf(bob)?.publicKey]).toEqual([bob.publicKey, ada.publicKey]);
    const sessions = [ada.engine.inspect.sessions, bob.engine.inspect.sessions];
    world.run(120 * secondMs);
    expect([contactOf(ada)?.publicKey, contactOf(bob)?.publicKey]).toEqual([bob.publicKey, ada.publicKey]);
    expect(ada.engine.inspect.peers.filter(({ role }) => role === 'contact').length).toBe(1);
    expect(ada.engine.inspect.sessions).toBeLessThanOrEqual(sessions[0] ?? 0);
  });

  it('ends when nobody needs it any more, and the circuit with it', () => {
    const { world, ada, bob, bobsRelays } = friends();
    reach(ada, bob);
    world.run(5 * secondMs);
    world.run(800 * secondMs);
    expect([contactOf(ada), contactOf(bob)]).toEqual([undefined, undefined]);
    expect(bobsRelays[0].engine.inspect.counters['circuit.ended.hang-up']).toBe(1);
  });

  it('is found again through another relay when the one that carries it dies', () => {
    const { world, ada, bob, adasRelay, bobsRelays } = friends(2);
    reach(ada, bob);
    world.run(3 * secondMs);
    const carrier = bobsRelays.find(({ publicKey }) => publicKey === contactOf(ada)?.paths[0]?.relay);
    if (carrier === undefined) throw new Error('one of the two was to carry it');
    carrier.cutOff = true;
    world.run(90 * secondMs);
    // Whoever looks first decides: through Bob's other relay, or the one of Ada.
    const others = [adasRelay, ...bobsRelays].filter((relay) => relay !== carrier).map(({ publicKey }) => publicKey);
    expect(others).toContain(contactOf(ada)?.paths[0]?.relay);
    expect(others).toContain(contactOf(bob)?.paths[0]?.relay);
  });

  it('is not made with somebody who is away, and costs little until they come', () => {
    const { world, ada, bob, bobsRelays } = friends();
    bob.cutOff = true;
    world.run(200 * secondMs);
    reach(ada, bob);
    world.run(300 * secondMs);
    expect(contactOf(ada)).toBe(undefined);
    const refused = bobsRelays[0].engine.inspect.counters['circuit.refused.not-found'] ?? 0;
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(8);
    bob.cutOff = false;
    world.run(20 * secondMs);
    reach(bob, ada);
    world.run(5 * secondMs);
    expect(contactOf(ada)?.publicKey).toBe(bob.publicKey);
  });

  it('is refused to whom was blocked', () => {
    const { world, ada, bob } = friends();
    bob.command({ name: 'block', publicKey: ada.publicKey });
    world.run(2 * secondMs);
    reach(ada, bob);
    world.run(60 * secondMs);
    expect([contactOf(ada), contactOf(bob)]).toEqual([undefined, undefined]);
  });
});

describe('a session between friends in one network', () => {
  it('goes directly, keeps a circuit in reserve, and by that when the direct path dies', () => {
    const { world, ada, bob, bobsRelays: [relay] } = near();
    reach(ada, bob);
    world.run(10 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
    world.passes = (from, to) => from === relay || to === relay;
    const id = ada.send(bob, 'hello');
    world.run(6.5 * secondMs);
    expect([bob.inbox(), ada.state(id)]).toEqual([['hello'], 'delivered']);
    world.run(20 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['relay'], ['relay']]);
    world.passes = () => true;
    world.run(90 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
  });

  it('outlives its relay, and gets another circuit in reserve', () => {
    const { world, ada, bob, bobsRelays } = near(2);
    reach(ada, bob);
    world.run(10 * secondMs);
    const carrier = bobsRelays.find(({ publicKey }) => contactOf(ada)?.paths.some(({ relay }) => relay === publicKey));
    if (carrier === undefined) throw new Error('one of the two was to carry it');
    carrier.cutOff = true;
    world.run(120 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
    expect(contactOf(ada)?.paths[1]?.relay).not.toBe(carrier.publicKey);
  });

  it('is left for the circuit while one of them is hidden', () => {
    const { world, ada, bob } = near();
    reach(ada, bob);
    world.run(10 * secondMs);
    bob.command({ name: 'update-settings', settings: { hideAddress: true } });
    let direct = 0;
    world.passes = (from, to) => { if (from === bob && to === ada) direct += 1; return true; };
    world.run(60 * secondMs);
    expect([kinds(ada), kinds(bob), direct]).toEqual([['relay'], ['relay'], 0]);
    const id = ada.send(bob, 'hello');
    world.run(2 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    bob.command({ name: 'update-settings', settings: { hideAddress: false } });
    world.run(90 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['lan', 'relay'], ['lan', 'relay']]);
  });
});
