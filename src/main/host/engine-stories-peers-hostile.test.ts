/** Whole engines: a friend who asks for more circuits than anybody needs, and a relay that misuses them. */
import { describe, expect, it } from 'vitest';
import { isTunnelFrame, tunnelled, tunnelledMaximumBytes, writeTunnelFrame } from '../engine/circuits/tunnel.ts';
import { SessionTable } from '../engine/session/sessions.ts';
import { encodeRequest } from '../engine/wire/frame.ts';
import { befriend, crypto, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerSessions } from '../engine/overlay/peer-sessions.ts';
import type { VisorContext } from '../engine/visor-context.ts';

const nobody: PeerSessions = { session: () => undefined, contactOf: () => undefined, want: () => undefined, pathOf: () => undefined };
const knows = (node: StoryNode, other: StoryNode): boolean => node.engine.inspect.peers.some(({ role, publicKey }) => role === 'contact' && publicKey === other.publicKey);

describe('a friend who wants many circuits', () => {
  it('has a few, so that others reach the one who is asked', () => {
    const world = new StoryWorld({ visorsMeet: 'in circuits' });
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

describe('a friend whose circuit ends unused', () => {
  it('is met by the other one that is under way', () => {
    const world = new StoryWorld({ visorsMeet: 'in circuits' });
    const [adas, bobs] = [world.relay('relay of ada'), world.relay('relay of bob')];
    let inside: VisorContext | undefined;
    const ada = world.add('ada');
    const bob = world.add('bob', { createPeerSessions: (context) => { inside = context; return nobody; } });
    ada.addRelay(adas);
    bob.addRelay(bobs);
    world.run(2 * secondMs);
    befriend(ada, bob);
    // Whatever session there was has been left.
    world.run(12 * minuteMs);
    const token = bob.contact(ada)?.depositToken;
    const deviceId = ada.disk().device?.deviceId;
    if (inside === undefined || token === undefined || deviceId === undefined) throw new Error('they are to know each other');
    const { sessions, directed } = inside;
    const sessionId = sessions.dial({ address: { host: '127.0.0.1', port: adas.port }, identity: adas.publicKey, remoteStatic: undefined, anonymous: true }, bob.now);
    bob.drain();
    world.run(secondMs);
    let circuit = 0;
    directed.request(sessionId, { verb: 'circuit', mailbox: { identity: ada.publicKey, deviceId }, token }, {
      deadlineMs: 7 * secondMs, done: (outcome) => { if (outcome.kind === 'answered') circuit = new DataView((outcome.payloads[0] ?? new Uint8Array(4)).slice().buffer).getUint32(0); },
    }, bob.now);
    bob.drain();
    world.run(secondMs);
    expect(circuit).toBeGreaterThan(0);
    const before = bobs.count('circuit.opened');
    // The other circuit is granted, and nothing of Bob's comes through it for three seconds.
    world.passes = (from, to) => from !== bob || to !== bobs || bobs.count('circuit.opened') === before;
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(secondMs);
    expect([bobs.count('circuit.opened'), knows(ada, bob)]).toEqual([before + 1, false]);
    directed.request(sessionId, { verb: 'hang-up', circuit }, { deadlineMs: 3 * secondMs, done: () => undefined }, bob.now);
    bob.drain();
    world.run(secondMs);
    world.passes = () => true;
    world.run(5 * secondMs);
    expect(knows(ada, bob)).toBe(true);
  });
});

describe('a relay that speaks out of a circuit which it opened itself', () => {
  it('keeps its session where it is, and the engine goes on', () => {
    const world = new StoryWorld({ visorsMeet: 'in circuits' });
    let inside: VisorContext | undefined;
    const eve = world.add('eve', { relay: true, visor: true, createPeerSessions: (context) => { inside = context; return nobody; } });
    const [mallory, bob] = [world.add('mallory'), world.add('bob')];
    for (const node of [mallory, bob]) node.addRelay(eve);
    world.run(2 * secondMs);
    befriend(mallory, bob);
    world.run(12 * minuteMs);
    const token = mallory.contact(bob)?.depositToken;
    const session = inside?.sessions.findByIdentity(bob.publicKey);
    if (inside === undefined || token === undefined || session === undefined) throw new Error('they are to know each other');
    const { sessions, directed } = inside;
    const circuit = 77;
    const flush = (): void => {
      eve.engine.handleTimeout(eve.now);
      eve.drain();
    };
    let isOpen = false;
    directed.request(session.id, { verb: 'connect', circuit, tokenHash: crypto.blake3(token) }, { deadlineMs: 5 * secondMs, done: (outcome) => { isOpen = outcome.kind === 'answered'; } }, eve.now);
    flush();
    world.run(secondMs);
    expect(isOpen).toBe(true);
    // What is inside is numbered after what is around it, or it would be an older packet and move nothing.
    const keys = sessions instanceof SessionTable ? sessions.links.get(session.id)?.keys : undefined;
    if (keys === undefined) throw new Error('there are no keys');
    let inner = keys.sendCounter + 1_000;
    const numberedInside = (act: () => void): void => {
      const outer = keys.sendCounter;
      keys.sendCounter = inner;
      act();
      inner = keys.sendCounter;
      keys.sendCounter = outer;
    };
    // Whatever Bob sends into the circuit Eve takes for what it is: her own session with him.
    const output = sessions.pollOutput.bind(sessions);
    sessions.pollOutput = () => {
      const next = output();
      if (next?.kind !== 'frame' || !isTunnelFrame(next.frame)) return next;
      numberedInside(() => { sessions.handleDatagram({ host: bob.host, port: bob.port }, tunnelled(next.frame).slice(), eve.now); });
      return output();
    };
    // All that she says to him in that session goes through the circuit, which goes through that session.
    const around = new Set<Uint8Array>();
    const taken: Uint8Array[] = [];
    let isTaken = false;
    world.seen = ({ from, to, datagram }) => {
      isTaken = from === eve && to === String(bob.port) && !around.has(datagram);
      if (isTaken) taken.push(datagram.slice());
    };
    world.passes = () => !isTaken;
    for (let round = 0; round < 12; round += 1) {
      if (round % 4 === 0) numberedInside(() => { sessions.send(session.id, encodeRequest(world.forgedId(), { verb: 'echo' }), eve.now); });
      flush();
      world.run(50);
      const before = new Set(world.wire);
      for (const datagram of taken.splice(0)) if (datagram.length <= tunnelledMaximumBytes) sessions.send(session.id, writeTunnelFrame((sizeBytes) => new Uint8Array(sizeBytes), circuit, datagram), eve.now);
      flush();
      for (const sent of world.wire) if (!before.has(sent)) around.add(sent.datagram);
      world.run(50);
    }
    world.seen = () => undefined;
    world.passes = () => true;
    sessions.pollOutput = output;
    keys.sendCounter = inner;
    world.run(minuteMs);
    const id = mallory.send(bob, 'still there?');
    world.run(5 * secondMs);
    expect([mallory.state(id), bob.inbox()]).toEqual(['delivered', ['still there?']]);
  });
});

/** Eve runs a relay of Bob's, and sees the tokens by which his friends ask for circuits to him. */
function bobAtEves(...names: readonly string[]): { readonly world: StoryWorld; readonly bob: StoryNode; readonly friends: readonly StoryNode[]; readonly connect: (by: StoryNode, circuit: number) => () => boolean; readonly settle: () => void } {
  const world = new StoryWorld({ visorsMeet: 'in circuits' });
  let inside: VisorContext | undefined;
  const eve = world.add('eve', { relay: true, visor: true, createPeerSessions: (context) => { inside = context; return nobody; } });
  const relay = world.relay('relay');
  const bob = world.add('bob');
  const friends = names.map((name) => world.add(name));
  for (const friend of friends) friend.addRelay(relay);
  bob.addRelay(relay, eve);
  world.run(2 * secondMs);
  for (const friend of friends) befriend(friend, bob);
  world.run(12 * minuteMs);
  const session = inside?.sessions.findByIdentity(bob.publicKey);
  const directed = inside?.directed;
  if (session === undefined || directed === undefined) throw new Error('Bob is to be at the relay');
  const connect = (by: StoryNode, circuit: number): (() => boolean) => {
    const token = by.contact(bob)?.depositToken;
    if (token === undefined) throw new Error('they are to know each other');
    let isOpen = false;
    directed.request(session.id, { verb: 'connect', circuit, tokenHash: crypto.blake3(token) }, { deadlineMs: 5 * secondMs, done: (outcome) => { isOpen = outcome.kind === 'answered'; } }, eve.now);
    return () => isOpen;
  };
  const settle = (): void => {
    eve.engine.handleTimeout(eve.now);
    eve.drain();
    world.run(secondMs);
  };
  return { world, bob, friends, connect, settle };
}

describe('a relay that opens circuits in the name of a friend', () => {
  it('does not keep that friend from reaching us by another relay', () => {
    const { world, bob, friends: [ada], connect, settle } = bobAtEves('ada');
    if (ada === undefined) throw new Error('there is one');
    expect(knows(bob, ada)).toBe(false);
    const opened = Array.from({ length: 40 }, (_, index) => connect(ada, index + 1));
    settle();
    expect(opened.some((isOpen) => isOpen())).toBe(true);
    ada.command({ name: 'reach', publicKey: bob.publicKey });
    world.run(2 * secondMs);
    expect(knows(bob, ada)).toBe(true);
  });

  it('does not give a circuit to somebody else while it is open', () => {
    const { friends: [ada, cyd], connect, settle } = bobAtEves('ada', 'cyd');
    if (ada === undefined || cyd === undefined) throw new Error('there are two');
    const first = connect(ada, 7);
    settle();
    const [again, other, another] = [connect(ada, 7), connect(cyd, 7), connect(cyd, 8)];
    settle();
    expect([first(), again(), other(), another()]).toEqual([true, true, false, true]);
  });
});
