/** What changes over weeks: another install of the same identity, prekeys, certificates. */
import { describe, expect, it } from 'vitest';
import { befriend, dayMs, friends, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { decodeCertificate } from '../engine/wire/certificate.ts';

/** The same words on another machine, with relays of its choice. */
function restoreElsewhere(old: StoryNode, clockErrorMs: number, ...relays: readonly StoryNode[]): StoryNode {
  const restored = old.world.add(`${old.name} restored`, { clockErrorMs }, undefined, old.identitySecret);
  restored.addRelay(...relays);
  old.world.run(5 * secondMs);
  return restored;
}

describe('restoring on another machine', () => {
  it('the old install learns that it was replaced, though its session never ended, and keeps its history', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    ada.send(bob, 'before');
    world.run(hourMs);
    const restored = restoreElsewhere(bob, 0, relay);
    expect(restored.engine.inspect.connection.kind).not.toBe('revoked');
    world.run(hourMs + minuteMs);
    expect(bob.engine.inspect.connection.kind).toBe('revoked');
    expect(bob.inbox()).toEqual(['before']);
    const reply = bob.command({ name: 'send', to: ada.publicKey, port: 1, text: 'from the old one', ttlSeconds: undefined });
    expect(reply.ok ? '' : reply.code).toBe('device-revoked');
    expect(restored.engine.inspect.connection.kind).not.toBe('revoked');
    bob.restart();
    world.run(minuteMs);
    expect(bob.engine.inspect.connection.kind).toBe('revoked');
    expect(bob.engine.inspect.relays.map((status) => status.state)).toEqual(['idle']);
  });

  it('what waited for the old device is reported unopenable, sealed anew and shown by the new one', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    world.sleep(hourMs);
    const restored = restoreElsewhere(bob, 0, relay);
    world.run(hourMs);
    expect(restored.inbox()).toEqual(['hello']);
    expect(ada.hops(id)).toContain('lost');
    // Ada is nobody to an install without history. She has introduced herself to it again, and is confirmed when she is accepted.
    restored.command({ name: 'accept', publicKey: ada.publicKey });
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('delivered');
  });

  it('also when the new install lives at another relay and the old one is never told', () => {
    const { world, ada, bob } = friends();
    const elsewhere = world.relay('elsewhere');
    ada.addRelay(elsewhere);
    world.run(minuteMs);
    bob.powerOff();
    ada.send(bob, 'hello');
    world.run(10 * secondMs);
    world.sleep(hourMs);
    const restored = restoreElsewhere(bob, 0, elsewhere);
    // Ada asks her own relays too; records are asked for again after six hours.
    world.run(8 * hourMs);
    expect(restored.inbox()).toEqual(['hello']);
  });

  it('a machine whose clock is a day behind can take over an install of yesterday', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    world.run(minuteMs);
    const restored = restoreElsewhere(bob, -dayMs, relay);
    world.run(2 * hourMs);
    expect(restored.engine.inspect.connection.kind).not.toBe('revoked');
    expect(bob.engine.inspect.connection.kind).toBe('revoked');
    const id = ada.send(bob, 'hello');
    world.run(hourMs);
    expect(restored.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('stored');
  });
});

describe('prekeys', () => {
  it('rotate weekly, are published, and are deleted 39 days after their successor was acknowledged', () => {
    const { world, ada, bob } = friends();
    for (let week = 0; week < 7; week += 1) {
      world.sleep(7 * dayMs);
      world.run(2 * minuteMs);
      world.run(hourMs);
      ada.send(bob, `week ${String(week)}`);
      world.run(minuteMs);
    }
    expect(bob.inbox()).toHaveLength(7);
    const ids = bob.disk().prekeys.map((row) => row.prekeyId);
    expect(Math.max(...ids)).toBeGreaterThanOrEqual(7);
    // Those of the last 39 days and the one before them.
    expect(ids.length).toBeLessThanOrEqual(7);
    expect(ids).not.toContain(1);
  });

  it('a profile restored from a copy makes a newer prekey at once, and what was sealed to the lost one is sealed anew', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    // As if the last rotation were lost: the newer bundle is at the relay, its secret is not here.
    const { device } = bob.disk();
    world.sleep(8 * dayMs);
    world.run(hourMs + minuteMs);
    const rotated = bob.disk().prekeys;
    expect(rotated).toHaveLength(2);
    bob.powerOff();
    const lost = rotated.at(-1);
    if (lost === undefined || device === undefined) throw new Error('rotated');
    bob.stores.submit('visor', { op: 'commit', changes: [{ kind: 'delete-prekey', prekeyId: lost.prekeyId }] }, () => undefined);
    bob.stores.commit();
    ada.send(bob, 'sealed to the lost one');
    world.run(10 * secondMs);
    bob.restart();
    world.run(10 * minuteMs);
    expect(relay.mail.some(({ request, result }) => request.op === 'put-record' && request.kind === 'prekey' && 'outcome' in result && result.outcome === 'stored')).toBe(true);
    expect(bob.inbox()).toEqual(['sealed to the lost one']);
  });
});

describe('certificates', () => {
  it('are renewed at a start within the last sixty days, for the same device, and mail goes on', () => {
    const { world, ada, bob } = friends();
    const before = bob.disk().device;
    world.sleep(310 * dayMs);
    bob.restart();
    ada.restart();
    world.run(2 * minuteMs);
    const after = bob.disk().device;
    expect(after?.deviceId).toBe(before?.deviceId);
    const [old, renewed] = [before, after].map((row) => (row === undefined ? undefined : decodeCertificate(row.certificate)));
    expect((renewed?.notAfterSeconds ?? 0) - (old?.notAfterSeconds ?? 0)).toBeGreaterThan(300 * 86_400);
    expect(renewed?.notBeforeSeconds).toBe(old?.notBeforeSeconds);
    world.run(hourMs);
    const id = ada.send(bob, 'hello');
    world.run(10 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('one that was made by a clock a year ahead is made right when the clock is, and the mailbox opens', () => {
    const world = new StoryWorld();
    const [relay, other] = [world.relay('one'), world.relay('two')];
    const [ada, bob] = [world.add('ada'), world.add('bob', { clockErrorMs: 365 * dayMs })];
    ada.addRelay(other);
    bob.addRelay(relay);
    world.run(minuteMs);
    bob.clockErrorMs = 0;
    bob.restart();
    world.run(6 * minuteMs);
    expect(bob.engine.inspect.connection.kind).toBe('online');
    befriend(ada, bob);
    const id = ada.send(bob, 'hello');
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('delivered');
  });
});

describe('a clock that is set far back while the certificate is looked at', () => {
  it.each([['by ten years', 10 * 365 * dayMs], ['to 1970', undefined]])('%s and right again spoils nothing', (_, byMs) => {
    const { world, ada, bob } = friends();
    const before = bob.disk().device?.certificate;
    world.run(6 * hourMs - 2 * minuteMs);
    bob.clockErrorMs = -(byMs ?? bob.now.wallMs - hourMs);
    world.run(5 * minuteMs);
    bob.clockErrorMs = 0;
    world.run(minuteMs);
    expect(bob.disk().device?.certificate).toEqual(before);
    const id = bob.send(ada, 'hello');
    world.run(hourMs);
    expect([bob.state(id), ada.inbox()]).toEqual(['delivered', ['hello']]);
  });
});
