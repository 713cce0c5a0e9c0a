/** Whole engines: a friend who asks for more circuits than anybody needs. */
import { describe, expect, it } from 'vitest';
import { befriend, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerSessions } from '../engine/overlay/peer-sessions.ts';
import type { VisorContext } from '../engine/visor-context.ts';

const nobody: PeerSessions = { session: () => undefined, contactOf: () => undefined, want: () => undefined, pathOf: () => undefined };
const knows = (node: StoryNode, other: StoryNode): boolean => node.engine.inspect.peers.some(({ role, publicKey }) => role === 'contact' && publicKey === other.publicKey);

describe('a friend who wants many circuits', () => {
  it('has a few, so that others reach the one who is asked', () => {
    const world = new StoryWorld({ visorsMeet: true });
    const relay = world.relay('relay');
    let inside: VisorContext | undefined;
    const mallory = world.add('mallory', { createPeerSessions: (context) => { inside = context; return nobody; } });
    const bob = world.add('bob');
    for (const node of [mallory, bob]) node.addRelay(relay);
    world.run(2 * secondMs);
    befriend(mallory, bob);
    const token = mallory.contact(bob)?.depositToken;
    const deviceId = bob.disk().device?.deviceId;
    const session = inside?.sessions.findByIdentity(relay.publicKey);
    if (inside === undefined || token === undefined || deviceId === undefined || session === undefined) throw new Error('they are to know each other');
    let opened = 0;
    for (let round = 0; round < 16; round += 1) {
      inside.directed.request(session.id, { verb: 'circuit', mailbox: { identity: bob.publicKey, deviceId }, token }, { deadlineMs: 7 * secondMs, done: (outcome) => { if (outcome.kind === 'answered') opened += 1; } }, mallory.now);
    }
    mallory.drain();
    world.run(secondMs);
    expect(opened).toBeGreaterThan(0);
    expect(opened).toBeLessThanOrEqual(8);
    const ada = world.add('ada');
    ada.addRelay(relay);
    world.run(2 * secondMs);
    befriend(ada, bob);
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(2 * secondMs);
    expect(knows(bob, ada)).toBe(true);
  });
});
