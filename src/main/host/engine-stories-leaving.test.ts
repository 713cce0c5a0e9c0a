/** Relays that were removed: what waits there is not lost, nobody is sent there any more, and one day they are forgotten. */
import { describe, expect, it } from 'vitest';
import { createMemoryStores } from './storage/direct.ts';
import { dayMs, friends, hourMs, minuteMs, secondMs, type StoryNode } from './engine-stories-testing.ts';
import { decodeCertificate } from '../engine/wire/certificate.ts';

const removed = (node: StoryNode): readonly string[] => node.engine.inspect.relays.filter((status) => status.leavingUntilWallMs !== undefined).map((status) => status.row.publicKey);
const kept = (node: StoryNode): readonly string[] => node.engine.inspect.relays.filter((status) => status.leavingUntilWallMs === undefined).map((status) => status.row.publicKey);

describe('a relay that was removed', () => {
  it('still gives what waits there, though its sender is gone for good', () => {
    const { world, ada, bob, bobsRelays: [old] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    world.passes = (from, to) => from !== old || to !== bob;
    bob.restart();
    old.off = false;
    ada.send(bob, 'hello');
    world.run(10 * secondMs);
    ada.powerOff();
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.run(minuteMs);
    world.passes = () => true;
    world.run(10 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect([removed(bob), kept(bob)]).toEqual([[old.publicKey], [next.publicKey]]);
    expect(bob.engine.inspect.connection).toMatchObject({ kind: 'online', relaysConfigured: 1, relaysConnected: 1 });
  });

  it('is named to nobody, learns where its former customer went, and is forgotten a day after it was emptied', () => {
    const { world, ada, bob, bobsRelays: [old] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    world.run(5 * secondMs);
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.run(minuteMs);
    expect(ada.contact(bob)?.relays.map((hint) => hint.publicKey)).toEqual([next.publicKey]);
    const told = old.mail.filter(({ request }) => request.op === 'put-record' && request.identity === bob.publicKey && request.kind === 'identity').length;
    expect(told).toBeGreaterThanOrEqual(3);
    world.run(23 * hourMs);
    expect(removed(bob)).toEqual([old.publicKey]);
    world.run(2 * hourMs);
    expect(removed(bob)).toEqual([]);
    expect(bob.disk().relays.map((row) => row.publicKey)).toEqual([next.publicKey]);
  });

  it('that never answers is tried for thirty days and then forgotten', () => {
    const { world, bob, bobsRelays: [old] } = friends();
    old.powerOff();
    bob.addRelay(world.relay('next'));
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.sleep(29 * dayMs);
    world.run(2 * hourMs);
    expect(removed(bob)).toEqual([old.publicKey]);
    world.sleep(dayMs);
    world.run(2 * hourMs);
    expect(removed(bob)).toEqual([]);
  });

  it('is asked once more before it is forgotten, by one who slept through the thirty days', () => {
    const { world, ada, bob, bobsRelays: [old] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    world.run(5 * secondMs);
    bob.cutOff = true;
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.run(minuteMs);
    bob.powerOff();
    world.sleep(25 * dayMs);
    world.run(minuteMs);
    next.powerOff();
    ada.send(bob, 'hello', 20 * dayMs / secondMs);
    world.run(minuteMs);
    ada.powerOff();
    world.sleep(6 * dayMs);
    next.restart();
    bob.cutOff = false;
    bob.restart();
    world.run(hourMs);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('is not forgotten because of a clock that was wrong for an hour', () => {
    const { world, bob, bobsRelays: [old] } = friends();
    bob.addRelay(world.relay('next'));
    world.run(5 * secondMs);
    world.passes = (from, to) => from !== old || to !== bob;
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    bob.clockErrorMs = 31 * dayMs;
    world.run(2 * hourMs);
    bob.clockErrorMs = 0;
    world.run(hourMs);
    expect(removed(bob)).toEqual([old.publicKey]);
  });

  it('has a day from when it first hears of it', () => {
    const { world, bob, bobsRelays: [old] } = friends();
    bob.addRelay(world.relay('next'));
    world.run(5 * secondMs);
    bob.cutOff = true;
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.sleep(25 * hourMs);
    world.run(minuteMs);
    bob.cutOff = false;
    bob.engine.networkChanged(bob.now);
    bob.drain();
    world.run(12 * hourMs);
    expect(removed(bob)).toEqual([old.publicKey]);
  });

  it('no longer has a say in what time it is', () => {
    const { world, ada, bob, bobsRelays } = friends(2);
    bob.addRelay(world.relay('next'));
    world.run(minuteMs);
    for (const relay of bobsRelays) {
      relay.clockErrorMs = -20 * dayMs;
      bob.command({ name: 'remove-relay', publicKey: relay.publicKey });
    }
    world.run(10 * minuteMs);
    const id = ada.send(bob, 'hello');
    world.run(10 * minuteMs);
    expect([bob.inbox(), ada.state(id), bob.engine.inspect.connection.clockOffsetMs]).toEqual([['hello'], 'delivered', undefined]);
  });

  it('is not kept by an install that was replaced', () => {
    const { world, bob, bobsRelays: [old] } = friends();
    const next = world.relay('next');
    bob.addRelay(next);
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    world.run(hourMs);
    world.add('bob restored', {}, undefined, bob.identitySecret).addRelay(next);
    world.run(2 * hourMs);
    expect([bob.engine.inspect.connection.kind, removed(bob)]).toEqual(['revoked', []]);
  });

  it('is where friends still find somebody who removed the last one as well', () => {
    const { world, ada, bob } = friends(2);
    for (const status of bob.engine.inspect.relays) {
      bob.command({ name: 'remove-relay', publicKey: status.row.publicKey });
      world.run(minuteMs);
    }
    ada.send(bob, 'hello');
    world.run(2 * hourMs);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('is forgotten at once when it is removed again, and is an ordinary one when it is added again', () => {
    const { world, bob, bobsRelays: [old] } = friends();
    bob.addRelay(world.relay('next'));
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    bob.restart();
    expect(removed(bob)).toEqual([old.publicKey]);
    bob.addRelay(old);
    expect([removed(bob), kept(bob).length]).toEqual([[], 2]);
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    bob.command({ name: 'remove-relay', publicKey: old.publicKey });
    expect(bob.engine.inspect.relays).toHaveLength(1);
  });

  it('that is the last one goes at once: nothing can be told to anybody without a relay', () => {
    const { bob, bobsRelays: [only] } = friends();
    bob.command({ name: 'remove-relay', publicKey: only.publicKey });
    expect(bob.engine.inspect.relays).toEqual([]);
    expect(bob.engine.inspect.connection.kind).toBe('no-relay');
  });
});

describe('what is made good without being asked', () => {
  it('a confirmation that was lost with the sender\'s relay is asked for again, and nothing is shown twice', () => {
    const { world, ada, bob, adasRelay } = friends();
    ada.cutOff = false;
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(5 * secondMs);
    // Ada hears of her letter at Bob's relay, but not of what lies at her own.
    world.passes = (from, to) => from !== adasRelay || to !== ada;
    bob.restart();
    world.run(minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    adasRelay.stores = createMemoryStores();
    adasRelay.restart();
    world.passes = () => true;
    world.run(30 * minuteMs);
    expect(ada.state(id)).toBe('stored');
    world.run(2 * hourMs);
    expect(ada.state(id)).toBe('delivered');
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('the certificate is renewed by an install that never restarts', () => {
    const { world, ada, bob } = friends();
    const end = (): number => decodeCertificate(bob.disk().device?.certificate ?? new Uint8Array())?.notAfterSeconds ?? 0;
    const before = end();
    world.sleep(310 * dayMs);
    world.run(2 * hourMs);
    expect(end()).toBeGreaterThan(before);
    world.sleep(60 * dayMs);
    world.run(2 * hourMs);
    expect(bob.now.wallMs).toBeGreaterThan(before * 1_000);
    const id = bob.send(ada, 'a year later');
    world.run(minuteMs);
    expect(ada.inbox()).toEqual(['a year later']);
    expect(bob.state(id)).toBe('delivered');
  });
});
