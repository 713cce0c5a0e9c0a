/** Whole engines: friends who met by a circuit tell each other where else they are reached. */
import { describe, expect, it } from 'vitest';
import { classify } from '../engine/path/classify.ts';
import { befriend, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { CheckedNetwork, NetworkCheck } from '../engine/path/observation-port.ts';

const nothingKnown = classify({ localHosts: [], localPorts: [], relays: [], observations: [], silences: [], hairpins: [], portControl: undefined, tcp: [], learned: {}, isComplete: true });
const nothing = (): void => { /* a test says what is known */ };

const nobodysPort = 9;

/** Knows what it was told. */
class ToldCheck implements NetworkCheck {
  last: CheckedNetwork | undefined;
  told(port: number): void {
    this.last = { checkedWallMs: 0, report: { ...nothingKnown, candidates: [{ kind: 'host', family: 'ipv4', host: '10.77.0.1', port, isPortSure: true }] } };
  }
  observed = nothing;
  bound = nothing;
  marked = nothing;
  answered = nothing;
  run = nothing;
  relaysChanged = nothing;
  networkChanged = nothing;
  handleTimeout = nothing;
  pollTimeout(): undefined { return undefined; }
}

const kinds = (node: StoryNode): readonly string[] => node.engine.inspect.peers.flatMap(({ role, paths }) => (role === 'contact' ? paths.map(({ kind }) => kind) : []));

function meet(): { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode; readonly check: ToldCheck } {
  const world = new StoryWorld({ visorsMeet: 'directly' });
  const relay = world.relay('relay');
  const check = new ToldCheck();
  const ada = world.add('ada', { createNetworkCheck: () => check });
  // Where he believes to be reached there is nobody.
  const his = new ToldCheck();
  his.told(nobodysPort);
  const bob = world.add('bob', { createNetworkCheck: () => his });
  for (const node of [ada, bob]) node.addRelay(relay);
  world.run(2 * secondMs);
  befriend(ada, bob);
  return { world, ada, bob, check };
}

const isNear = (of: readonly string[]): boolean => of.includes('direct') || of.includes('lan');

describe('friends who met by a circuit', () => {
  it('come nearer also when one comes back with a new address before the other has missed it', () => {
    const { world, ada, bob, check } = meet();
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(5 * minuteMs);
    expect([kinds(ada), kinds(bob)]).toEqual([['relay'], ['relay']]);
    ada.cutOff = true;
    ada.send(bob, 'hello');
    world.run(9 * secondMs);
    expect([kinds(ada), kinds(bob)]).toEqual([[], ['relay']]);
    ada.cutOff = false;
    check.told(ada.port);
    world.run(15 * secondMs);
    expect([kinds(ada), kinds(bob)].map(isNear)).toEqual([true, true]);
  });

  it.each(['circuit', 'direct path'] as const)('hear it when one of them stops (%s)', (by) => {
    const { world, ada, bob, check } = meet();
    if (by === 'direct path') check.told(ada.port);
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(30 * secondMs);
    expect([isNear(kinds(bob)), kinds(bob).length > 0]).toEqual([by === 'direct path', true]);
    ada.engine.stop(ada.now);
    ada.drain();
    ada.off = true;
    world.run(secondMs);
    expect(kinds(bob)).toEqual([]);
  });
});
