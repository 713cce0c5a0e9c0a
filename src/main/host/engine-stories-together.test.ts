/** Letters between two engines that find each other by themselves while both are here. */
import { describe, expect, it } from 'vitest';
import { friends, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

const together = (): ReturnType<typeof friends> => friends(1, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
const deliveredBy = (node: StoryNode, id: string): readonly (string | undefined)[] => {
  const hop = node.stores.query({ query: 'hops', messageId: id }).hops.find(({ kind }) => kind === 'delivered');
  return [hop?.path, hop?.relay];
};
const letters = (relay: StoryNode): number => relay.mail.filter(({ request }) => request.op === 'deposit' && request.lane === 'letter').length;

describe('two who are here', () => {
  it('write to each other in a session of their own, which the relay carries and does not keep', () => {
    const { world, ada, bob, bobsRelays: [relay] } = together();
    ada.send(bob, 'first');
    world.run(5 * secondMs);
    const before = letters(relay);
    const id = ada.send(bob, 'second');
    const long = ada.send(bob, 'long '.repeat(5_000));
    world.run(2 * secondMs);
    expect(bob.inbox().map((text) => text.slice(0, 6))).toEqual(['first', 'second', 'long l']);
    expect([deliveredBy(ada, id), deliveredBy(ada, long)]).toEqual([['peer-relay', relay.publicKey], ['peer-relay', relay.publicKey]]);
    expect(letters(relay)).toBe(before);
    world.run(2 * minuteMs);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('lose nothing when one of them loses power in the middle, or goes away for good', () => {
    const { world, ada, bob } = together();
    ada.send(bob, 'first');
    world.run(5 * secondMs);
    bob.powerOff();
    const id = ada.send(bob, 'second');
    world.run(5 * secondMs);
    expect(ada.state(id)).toBe('stored');
    bob.restart();
    world.run(2 * minuteMs);
    expect(bob.inbox()).toEqual(['first', 'second']);
    expect(ada.state(id)).toBe('delivered');
    world.run(15 * minuteMs);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });
});
