/** Whole engines: friends who met by a circuit tell each other where else they are reached. */
import { describe, expect, it } from 'vitest';
import { classify } from '../engine/path/classify.ts';
import { befriend, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { CheckedNetwork, NetworkCheck, ObservationPort } from '../engine/path/observation-port.ts';

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

/** Finds out where the router has it seen now when it is asked anew, and not before. */
class AskedCheck extends ToldCheck {
  readonly #port: ObservationPort;
  readonly #seenAt: () => number | undefined;
  constructor(port: ObservationPort, seenAt: () => number | undefined) {
    super();
    this.#port = port;
    this.#seenAt = seenAt;
  }
  override run = (): void => { if (this.last === undefined) this.runAnew(); };
  runAnew(): void {
    this.told(this.#seenAt() ?? nobodysPort);
    this.#port.reported();
  }
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

  it.each(['the side that dialled', 'the other'] as const)('are direct again within seconds when the router of one (%s) forgot everything, and both let in only whom was written to', (whose) => {
    const world = new StoryWorld({ visorsMeet: 'directly' });
    const relay = world.relay('relay');
    const add = (name: string): StoryNode => world.add(name, { createNetworkCheck: (port) => new AskedCheck(port, () => world.nodes.find((node) => node.name === name)?.ports.get('main')) });
    const [ada, bob] = [add('ada'), add('bob')];
    const portOf = (node: StoryNode): number => node.ports.get('main') ?? 0;
    /** From which of its ports a side has written to which, and is let in by it. */
    let open = new Set<string>();
    world.seen = ({ from, fromPort, to }) => { open.add(`${from.name} ${String(fromPort)} ${to}`); };
    world.passes = (from, to) => from === relay || to === relay || open.has(`${to.name} ${String(portOf(to))} ${String(portOf(from))}`);
    for (const node of [ada, bob]) node.addRelay(relay);
    world.run(2 * secondMs);
    befriend(ada, bob);
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.runUntil(() => [ada, bob].every((node) => isNear(kinds(node))), 15 * secondMs);
    /** Of the path in use, while it answers. */
    const goesTo = (node: StoryNode): number | undefined => node.engine.inspect.peers.flatMap(({ role, paths }) => (role === 'contact' ? paths : [])).find(({ kind, isCurrent, isDoubtful }) => kind !== 'relay' && isCurrent && !isDoubtful)?.address?.port;
    const [moved, other] = whose === 'the other' ? [bob, ada] : [ada, bob];
    const before = portOf(moved);
    expect([goesTo(moved), goesTo(other)]).toEqual([portOf(other), before]);
    moved.ports.set('main', before + 5_000);
    open = new Set();
    const endMs = world.timeMs + 5 * secondMs;
    while (world.timeMs < endMs) {
      ada.send(bob, 'hello');
      bob.send(ada, 'hello');
      world.run(250);
    }
    expect([goesTo(moved), goesTo(other)]).toEqual([portOf(other), before + 5_000]);
  });
});
