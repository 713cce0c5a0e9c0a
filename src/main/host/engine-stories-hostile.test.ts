/** Contacts, strangers and relays that lie; and what must not grow. */
import { describe, expect, it } from 'vitest';
import { befriend, dayMs, forge, friends, hourMs, minuteMs, secondMs, StoryWorld } from './engine-stories-testing.ts';
import { fromHex } from '../engine/wire/bytes.ts';
import type { Content } from '../engine/wire/types.ts';

const messageIdOf = (id: string): Uint8Array => fromHex(id) ?? new Uint8Array(16);
const introduction = (name: string, fill: number): Content => ({ kind: 'introduction', answerWanted: false, token: new Uint8Array(16).fill(fill), inviteToken: undefined, name, relays: [] });

describe('contacts and strangers that lie', () => {
  it('a receipt for a letter to somebody else confirms nothing', () => {
    const { world, ada, bob, adasRelay } = friends();
    const mallory = world.add('mallory');
    mallory.addRelay(world.relay('relay of mallory'));
    world.run(2 * secondMs);
    befriend(mallory, ada);
    bob.powerOff();
    const id = ada.send(bob, 'for bob');
    world.run(5 * secondMs);
    const item = { messageId: messageIdOf(id), atMs: 1 };
    forge(mallory, ada, adasRelay, { kind: 'delivered', items: [item] });
    forge(mallory, ada, adasRelay, { kind: 'read', items: Array.from({ length: 60 }, () => item) });
    mallory.send(ada, 'ding');
    world.run(10 * secondMs);
    expect(ada.inbox()).toEqual(['ding']);
    expect(ada.state(id)).toBe('stored');
    expect(ada.disk().outbox.map((row) => row.id)).toContain(id);
  });

  it('receipts for messages that never were, empty receipts and repeated ones are taken off the relay and change nothing', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    forge(ada, bob, relay, { kind: 'delivered', items: [] });
    forge(ada, bob, relay, { kind: 'read', items: [{ messageId: new Uint8Array(16).fill(9), atMs: 2 ** 50 }] });
    forge(ada, bob, relay, { kind: 'resume' });
    ada.send(bob, 'ding');
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(['ding']);
    expect(bob.disk().outbox).toEqual([]);
  });

  it('an older introduction that comes late does not undo a newer one', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const nowMs = ada.now.wallMs;
    forge(ada, bob, relay, introduction('ada', 1), { sequence: nowMs + 2 });
    ada.send(bob, 'ding');
    world.run(5 * secondMs);
    forge(ada, bob, relay, introduction('ada', 2), { sequence: nowMs + 1 });
    ada.send(bob, 'dong');
    world.run(5 * secondMs);
    expect(bob.contact(ada)?.depositToken).toEqual(new Uint8Array(16).fill(1));
  });

  it('an older introduction that comes late still shows the invite that it came with', () => {
    const world = new StoryWorld();
    const relay = world.relay('relay');
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    ada.addRelay(relay);
    bob.addRelay(relay);
    world.run(2 * secondMs);
    const { token: inviteToken } = bob.invite();
    const said = { kind: 'introduction', token: new Uint8Array(16).fill(7), relays: [relay.hint] } as const;
    forge(ada, bob, relay, { ...said, name: 'newer', answerWanted: false, inviteToken: undefined }, { sequence: 2_000 });
    forge(ada, bob, relay, { ...said, name: 'older', answerWanted: true, inviteToken }, { sequence: 1_000 });
    world.run(2 * hourMs);
    expect(bob.contact(ada)).toMatchObject({ standing: 'contact', name: 'newer' });
  });

  it('an introduction from a clock that was ahead does not shut out those that are numbered after it', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    forge(ada, bob, relay, introduction('ada', 1), { sequence: ada.now.wallMs + dayMs, sentAtMs: ada.now.wallMs + dayMs });
    ada.send(bob, 'ding');
    world.run(5 * secondMs);
    forge(ada, bob, relay, introduction('ada', 2), { sequence: ada.now.wallMs + dayMs + 1 });
    ada.send(bob, 'dong');
    world.run(5 * secondMs);
    expect(bob.contact(ada)?.depositToken).toEqual(new Uint8Array(16).fill(2));
  });

  it('a second letter under a used message id changes neither memory nor disk', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const before = bob.contact(ada)?.depositToken;
    forge(ada, bob, relay, { kind: 'text', text: 'first' }, { messageId: 'cd'.repeat(16), sequence: 5 });
    ada.send(bob, 'ding');
    world.run(5 * secondMs);
    forge(ada, bob, relay, introduction('ada', 7), { messageId: 'cd'.repeat(16) });
    forge(ada, bob, relay, { kind: 'text', text: 'second' }, { messageId: 'cd'.repeat(16), sequence: 6 });
    ada.send(bob, 'dong');
    world.run(5 * secondMs);
    expect([...bob.inbox()].sort()).toEqual(['ding', 'dong', 'first']);
    const onDisk = bob.disk().contacts.find((row) => row.publicKey === ada.publicKey)?.depositToken;
    expect(onDisk).toEqual(before);
    expect(bob.contact(ada)?.depositToken).toEqual(onDisk);
  });

  it('introductions that ask for an answer do not pile up letters to a sender who cannot be reached', () => {
    const { world, ada, bob, bobsRelays: [relay], adasRelay } = friends();
    adasRelay.off = true;
    for (let round = 0; round < 20; round += 1) {
      forge(ada, bob, relay, { kind: 'introduction', answerWanted: true, token: new Uint8Array(16).fill(3), inviteToken: undefined, name: 'ada', relays: [] });
      ada.send(bob, `ding ${String(round)}`);
      world.run(10 * secondMs);
    }
    expect(bob.inbox()).toHaveLength(20);
    expect(bob.disk().outbox.filter((row) => row.kind === 'introduction').length).toBeLessThanOrEqual(1);
    // Twenty receipts gather in few letters.
    expect(bob.disk().outbox.filter((row) => row.kind === 'receipt').length).toBeLessThanOrEqual(3);
  });

  it('a stranger cannot make itself a contact, and an introduction without an invite shows nothing', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const stranger = world.add('stranger');
    forge(stranger, bob, relay, introduction('somebody', 4));
    forge(stranger, bob, relay, { kind: 'introduction', answerWanted: true, token: new Uint8Array(16).fill(4), inviteToken: new Uint8Array(16).fill(4), name: 'x', relays: [] });
    ada.send(bob, 'ding');
    world.run(10 * secondMs);
    expect(bob.contact(stranger)?.standing).toBe('request');
    expect([...bob.engine.inspect.conversations.values()].filter((row) => row.publicKey === stranger.publicKey)).toEqual([]);
    expect(bob.disk().outbox.filter((row) => row.kind === 'introduction')).toEqual([]);
  });
});

describe('relays that lie', () => {
  it('one that always has more to list and never shows it is not asked without end', () => {
    const { world, bob, bobsRelays: [relay] } = friends();
    relay.tamper = (request, result) => (request.op === 'list' ? { entries: [], remaining: 7 } : result);
    bob.restart();
    world.run(minuteMs);
    const before = relay.mailCount('list');
    world.run(hourMs);
    expect(relay.mailCount('list') - before).toBeLessThan(40);
  });

  it('one that lists a letter and withholds its body is asked ever more slowly, and the other relay delivers', () => {
    const { world, ada, bob, bobsRelays: [first, second] } = friends(2);
    if (second === undefined) throw new Error('two relays');
    first.tamper = (request, result) => (request.op === 'body' ? { body: undefined } : result);
    const id = ada.send(bob, 'x'.repeat(5_000));
    world.run(minuteMs);
    expect(bob.inbox()).toHaveLength(1);
    expect(ada.state(id)).toBe('delivered');
    second.off = true;
    ada.send(bob, 'y'.repeat(5_000));
    world.run(minuteMs);
    const before = first.mailCount('list');
    world.run(hourMs);
    expect(first.mailCount('list') - before).toBeLessThan(40);
    first.tamper = undefined;
    world.run(6 * minuteMs);
    expect(bob.inbox()).toHaveLength(2);
  });

  it('one that answers with records of somebody else, or with none, does not mislead', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const mallory = world.add('mallory');
    mallory.addRelay(relay);
    world.run(2 * secondMs);
    let foreign: Uint8Array | undefined;
    for (const { request } of relay.mail) if (request.op === 'put-record' && request.kind === 'identity' && request.identity === mallory.publicKey) foreign = request.bytes;
    world.run(7 * hourMs);
    relay.tamper = (request, result) => (request.op === 'get-record' && request.identity === bob.publicKey ? { bytes: request.kind === 'identity' ? foreign : undefined, sequence: 2 ** 40 } : result);
    const id = ada.send(bob, 'hello');
    world.run(minuteMs);
    expect(foreign).toBeDefined();
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('one that serves an older record cannot bring back relays that were left', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const old = relay.mail.flatMap(({ request }) => (request.op === 'put-record' && request.kind === 'identity' && request.identity === bob.publicKey ? [request.bytes] : [])).at(-1);
    const added = world.relay('added');
    bob.addRelay(added);
    world.run(minuteMs);
    world.run(7 * hourMs);
    ada.send(bob, 'one');
    world.run(minuteMs);
    const known = ada.contact(bob)?.identityRecord;
    world.run(7 * hourMs);
    for (const node of [relay, added]) node.tamper = (request, result) => (request.op === 'get-record' && request.kind === 'identity' && request.identity === bob.publicKey ? { bytes: old, sequence: 1 } : result);
    const id = ada.send(bob, 'two');
    world.run(minuteMs);
    expect(ada.contact(bob)?.identityRecord).toEqual(known);
    expect(ada.state(id)).toBe('delivered');
  });

  it('one that calls every record stale is left with a pause instead of asked at once for ever', () => {
    const { world, bob, bobsRelays: [relay] } = friends();
    world.run(minuteMs);
    relay.tamper = (request, result) => (request.op === 'put-record' ? { outcome: 'stale' } : result);
    bob.restart();
    world.run(minuteMs);
    const before = relay.mailCount('put-record');
    world.run(hourMs);
    expect(relay.mailCount('put-record') - before).toBeLessThan(120);
    expect(bob.disk().prekeys.length).toBeLessThan(4);
  });
});

describe('what must not grow', () => {
  it('after two hundred delivered letters nothing is left in either outbox, and no deadline of them', () => {
    const { world, ada, bob } = friends();
    for (let number = 0; number < 200; number += 1) ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: `letter ${String(number)}`, ttlSeconds: undefined });
    world.run(minuteMs);
    expect(bob.inbox()).toHaveLength(200);
    world.run(2 * minuteMs);
    expect(ada.disk().outbox).toEqual([]);
    expect(bob.disk().outbox).toEqual([]);
    const quiet = ada.timeouts;
    world.run(hourMs);
    // Keepalives and housekeeping, nothing per letter.
    expect(ada.timeouts - quiet).toBeLessThan(1_000);
  });

  it('receipts owed to a stranger gather in few rows', () => {
    const world = new StoryWorld();
    const [relay, other] = [world.relay('one'), world.relay('two')];
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    ada.addRelay(other);
    bob.addRelay(relay);
    world.run(2 * secondMs);
    ada.command({ name: 'add-contact', invite: { publicKey: bob.publicKey, port: 1, token: undefined, name: '', relays: [relay.hint] }, as: undefined });
    for (let number = 0; number < 50; number += 1) { ada.send(bob, `letter ${String(number)}`); world.run(10 * secondMs); }
    expect(bob.inbox()).toHaveLength(50);
    expect(bob.disk().outbox.filter((row) => row.kind === 'receipt').length).toBeLessThanOrEqual(2);
  });
});
