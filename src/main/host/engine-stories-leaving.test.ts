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
