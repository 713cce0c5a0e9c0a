/** What is published under names, whole engines in a world of their own time. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../engine/wire/bytes.ts';
import { createNamedRecord } from '../engine/wire/named-record.ts';
import { crypto, dayMs, forge, friends, hourMs, minuteMs, secondMs, seeded, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { NamedFetchStatus } from '../engine/inspection-types.ts';
import type { ContentName, RelayHint } from '../engine/wire/types.ts';

const path = 'docs/read-me.txt';

/** As the host copies a person's file. */
function addBlob(node: StoryNode, bytes: Uint8Array): ContentName {
  const content = { root: crypto.blake3(bytes), length: bytes.length };
  node.ownBlobs.apply({ op: 'begin', name: content });
  node.ownBlobs.apply({ op: 'write', name: content, offset: 0, bytes });
  node.ownBlobs.apply({ op: 'complete', name: content });
  return content;
}

function publish(node: StoryNode, bytes: Uint8Array, name = path): ContentName {
  const content = addBlob(node, bytes);
  expect(node.command({ name: 'publish', path: name, content, mediaType: 'text/plain' })).toMatchObject({ ok: true });
  return content;
}

const isHeld = (node: StoryNode): boolean => node.engine.inspect.published().every(({ file }) => file.state.state === 'ready');
const status = (node: StoryNode, from: StoryNode, name = path): NamedFetchStatus | undefined => node.engine.inspect.namedFetch(from.publicKey, name);
const isOver = (node: StoryNode, from: StoryNode): boolean => ['ready', 'failed'].includes(status(node, from)?.state.state ?? '');

function begin(node: StoryNode, from: StoryNode, relay?: RelayHint): void {
  expect(node.command({ name: 'fetch-named', publicKey: from.publicKey, path, relay, begin: true })).toMatchObject({ ok: true });
}

function end(node: StoryNode, from: StoryNode): void {
  expect(node.command({ name: 'end-fetch-named', publicKey: from.publicKey, path })).toMatchObject({ ok: true });
}

function fetched(node: StoryNode, from: StoryNode, relay?: RelayHint): NamedFetchStatus | undefined {
  begin(node, from, relay);
  node.world.runUntil(() => isOver(node, from), minuteMs);
  const last = status(node, from);
  return last;
}

/** Machines that sleep most of the time. */
function passDays(world: StoryWorld, days: number): void {
  for (let half = 0; half < 2 * days; half += 1) {
    world.sleep(dayMs / 2 - 10 * minuteMs);
    world.run(10 * minuteMs);
  }
}

/** Ada publishes at her relay; Bob has another one and does not know her. */
function strangers(): { world: StoryWorld; ada: StoryNode; bob: StoryNode; adasRelay: StoryNode; bobsRelay: StoryNode } {
  const world = new StoryWorld();
  const [adasRelay, bobsRelay] = [world.relay('relay of ada'), world.relay('relay of bob')];
  const [ada, bob] = [world.add('ada'), world.add('bob')];
  ada.addRelay(adasRelay);
  bob.addRelay(bobsRelay);
  world.run(2 * secondMs);
  return { world, ada, bob, adasRelay, bobsRelay };
}

describe('published names', () => {
  it('are held by the publisher’s relay and fetched from there when the publisher has gone, by a contact', () => {
    const { world, ada, bob, adasRelay } = friends();
    const content = publish(ada, seeded('public 1')(700_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    ada.cutOff = true;
    expect(fetched(bob, ada)).toMatchObject({ found: { content, mediaType: 'text/plain' }, state: { state: 'ready' }, failure: undefined });
    expect(bob.ownBlobs.bytesOf(content)).toBeDefined();
    expect(adasRelay.heldBlobs.all).toMatchObject([{ complete: true }]);
    end(bob, ada);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('are fetched by strangers with a hint, or where they share a relay, and not otherwise', () => {
    const { world, ada, bob, adasRelay } = strangers();
    publish(ada, seeded('public 2')(70_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    expect(fetched(bob, ada)).toMatchObject({ failure: 'unknown' });
    end(bob, ada);
    expect(fetched(bob, ada, adasRelay.hint)).toMatchObject({ state: { state: 'ready' } });
    const carl = world.add('carl');
    carl.addRelay(adasRelay);
    world.run(2 * secondMs);
    expect(fetched(carl, ada)).toMatchObject({ state: { state: 'ready' } });
    expect(fetched(world.add('dora'), ada)).toMatchObject({ failure: 'no-relay' });
  });

  it('are found again, by strangers who once had a hint, where they were found then', () => {
    const { world, ada, bob, adasRelay } = strangers();
    const content = publish(ada, seeded('public 2 again')(70_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    expect(fetched(bob, ada, adasRelay.hint)).toMatchObject({ state: { state: 'ready' } });
    end(bob, ada);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);
    expect(fetched(bob, ada)).toMatchObject({ found: { content }, state: { state: 'ready' } });
    end(bob, ada);
    // Still there after a search in which that relay was away.
    adasRelay.cutOff = true;
    world.run(5 * minuteMs);
    begin(bob, ada);
    world.run(minuteMs);
    end(bob, ada);
    adasRelay.cutOff = false;
    world.run(5 * secondMs);
    expect(fetched(bob, ada)).toMatchObject({ found: { content }, state: { state: 'ready' } });
  });

  it('are found at relays that the publisher’s identity record tells of, when the one that is known has forgotten them', () => {
    const { world, ada, bob, adasRelay } = strangers();
    const second = world.relay('second relay of ada');
    ada.addRelay(second);
    world.run(5 * secondMs);
    publish(ada, seeded('public 3')(70_000));
    world.runUntil(() => isHeld(ada) && second.heldBlobs.all.some(({ complete }) => complete), minuteMs);
    adasRelay.instead = (request) => request.op === 'get-record' && request.kind === 'named' ? { bytes: undefined, sequence: 0 } : undefined;
    expect(fetched(bob, ada, adasRelay.hint)).toMatchObject({ state: { state: 'ready' } });
  });

  it('change: the newer content is fetched, the older is forgotten by everybody', () => {
    const { world, ada, bob, adasRelay } = friends();
    publish(ada, seeded('public 4')(100_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    fetched(bob, ada);
    end(bob, ada);
    world.run(minuteMs);
    const newer = publish(ada, seeded('public 5')(90_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    expect(fetched(bob, ada)?.found?.content).toEqual(newer);
    world.run(5 * secondMs);
    expect(adasRelay.heldBlobs.all.map(({ name }) => name)).toEqual([newer]);
    expect(ada.ownBlobs.all.map(({ name }) => name)).toEqual([newer]);
  });

  it('are not turned back by a relay that serves what it had before', () => {
    const { world, ada, bob, adasRelay } = friends();
    publish(ada, seeded('public 6')(50_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    const before = adasRelay.mail.find(({ request }) => request.op === 'put-record' && request.kind === 'named')?.request;
    const newer = publish(ada, seeded('public 7')(50_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    expect(fetched(bob, ada)?.found?.content).toEqual(newer);
    end(bob, ada);
    adasRelay.instead = (request) => request.op === 'get-record' && request.kind === 'named' && before?.op === 'put-record' ? { bytes: before.bytes, sequence: before.sequence } : undefined;
    expect(fetched(bob, ada)?.found?.content).toEqual(newer);
  });

  it('are not believed when somebody else has signed them, or for another name', () => {
    const { world, ada, bob, adasRelay } = friends();
    const content = publish(ada, seeded('public 8')(50_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    const nowSeconds = Math.floor(ada.now.wallMs / 1_000);
    const fields = { content, mediaType: '', sequence: nowSeconds + 60, notAfterSeconds: nowSeconds + 86_400 };
    for (const record of [createNamedRecord({ ...fields, identitySecret: bob.identitySecret, path }), createNamedRecord({ ...fields, identitySecret: ada.identitySecret, path: 'another' })]) {
      adasRelay.instead = (request) => request.op === 'get-record' && request.kind === 'named' ? { bytes: record.bytes, sequence: record.sequence } : undefined;
      expect(fetched(bob, ada)).toMatchObject({ found: undefined, failure: 'unknown' });
      end(bob, ada);
    }
    expect(bob.count('named.bad-record')).toBeGreaterThan(0);
  });

  it('that are withdrawn are gone at the relay, and told to one that was away', () => {
    const { world, ada, bob, adasRelay } = friends();
    const second = world.relay('second relay of ada');
    ada.addRelay(second);
    world.run(5 * secondMs);
    publish(ada, seeded('public 9')(50_000));
    world.runUntil(() => isHeld(ada) && second.heldBlobs.all.some(({ complete }) => complete), minuteMs);
    second.cutOff = true;
    expect(ada.command({ name: 'unpublish', path })).toMatchObject({ ok: true });
    expect(ada.command({ name: 'unpublish', path })).toMatchObject({ ok: false, code: 'not-found' });
    world.run(5 * secondMs);
    expect(adasRelay.heldBlobs.all).toEqual([]);
    expect(ada.ownBlobs.all).toEqual([]);
    expect(ada.engine.inspect.published()).toEqual([]);
    ada.restart();
    second.cutOff = false;
    world.run(3 * minuteMs);
    adasRelay.cutOff = true;
    expect(fetched(bob, ada, second.hint)).toMatchObject({ failure: 'withdrawn' });
  });

  it('live on while the publisher runs, and end after a week without', () => {
    const { world, ada, bob, adasRelay } = friends();
    publish(ada, seeded('public 10')(50_000));
    passDays(world, 10);
    const first = fetched(bob, ada);
    expect(first).toMatchObject({ state: { state: 'ready' } });
    end(bob, ada);
    ada.cutOff = true;
    passDays(world, 9);
    expect(fetched(bob, ada)).toMatchObject({ failure: 'unknown' });
    expect(adasRelay.heldBlobs.all).toEqual([]);
  });

  it('survive crashes of publisher, relay and reader, and a publisher that lost its newest row', () => {
    const { world, ada, bob, adasRelay } = friends();
    const content = publish(ada, seeded('public 11')(4_000_000));
    for (const node of [ada, adasRelay, ada]) {
      world.run(300);
      node.restart();
    }
    world.runUntil(() => isHeld(ada), 5 * minuteMs);
    begin(bob, ada);
    world.run(secondMs);
    bob.restart();
    expect(fetched(bob, ada)).toMatchObject({ found: { content }, state: { state: 'ready' } });
    // A copy from before: what it published since then is known to the relay alone.
    const sequence = status(bob, ada)?.found?.sequence ?? 0;
    ada.stores.submit('visor', { op: 'commit', changes: [{ kind: 'put-published', row: { path, content, mediaType: 'text/html', sequence: sequence - 1_000, notAfterSeconds: Math.floor(ada.now.wallMs / 1_000) + 7 * 86_400, publishedAtMs: 0 } }] }, () => undefined);
    ada.stores.commit();
    ada.restart();
    world.run(2 * minuteMs);
    expect(fetched(bob, ada)?.found).toMatchObject({ mediaType: 'text/html' });
    expect(status(bob, ada)?.found?.sequence).toBeGreaterThan(sequence);
  });

  it('come through a relay that has no room, while the publisher is there', () => {
    const { world, ada, bob, adasRelay } = friends();
    adasRelay.instead = (request) => request.op === 'hold-blob' ? { outcome: 'quota' } : undefined;
    publish(ada, seeded('public 12')(200_000));
    world.run(5 * secondMs);
    expect(ada.engine.inspect.published()[0]?.file.state).toMatchObject({ state: 'waiting', reason: 'relay-full' });
    expect(fetched(bob, ada)).toMatchObject({ state: { state: 'ready' } });
  });

  it('are not kept by a reader that has gone, nor is anything of its own forgotten', () => {
    const { world, ada, bob } = friends();
    const bytes = seeded('public 13')(60_000);
    const content = publish(ada, bytes);
    world.runUntil(() => isHeld(ada), minuteMs);
    // What lies here already is somebody's.
    addBlob(bob, bytes);
    bob.restart();
    world.run(5 * secondMs);
    expect(fetched(bob, ada)).toMatchObject({ state: { state: 'ready' } });
    end(bob, ada);
    world.run(secondMs);
    expect(bob.ownBlobs.bytesOf(content)).toBeDefined();
    bob.ownBlobs.apply({ op: 'delete', name: content });
    bob.restart();
    world.run(5 * secondMs);
    fetched(bob, ada);
    world.run(2 * minuteMs);
    expect(status(bob, ada)).toBeUndefined();
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('keep what had come of them over a crash', () => {
    const { world, ada, bob, adasRelay } = friends();
    const bytes = seeded('public 15')(8_000_000);
    const content = publish(ada, bytes);
    world.runUntil(() => isHeld(ada), minuteMs);
    // The relay goes in the middle of it.
    let sent = 0;
    world.passes = (from) => {
      if (from === adasRelay && bob.ownBlobs.all.length > 0) sent += 1;
      return from !== adasRelay || sent < 80;
    };
    begin(bob, ada);
    world.run(20 * secondMs);
    bob.restart();
    const [kept] = bob.ownBlobs.all;
    expect(kept).toMatchObject({ name: content, complete: false });
    expect(kept?.snapshot).toBeDefined();
    world.run(5 * secondMs);
    expect(bob.ownBlobs.all).toHaveLength(1);
    world.passes = () => true;
    expect(fetched(bob, ada)).toMatchObject({ state: { state: 'ready' } });
    expect(bob.ownBlobs.bytesOf(content)).toEqual(bytes);
  });

  it('lose nothing to a letter that names the same bytes as a file and takes it back', () => {
    const { world, ada, bob, bobsRelays: [bobsRelay] } = friends();
    const content = publish(ada, seeded('public 16')(3_000_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    // Whoever holds it gives a part of it and no more.
    for (const node of world.nodes) {
      let reads = 0;
      node.heldBlobs.failing = (request) => { if (request.op === 'read') reads += 1; return request.op === 'read' && reads > 4 ? 'io' : undefined; };
    }
    ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
    begin(bob, ada);
    world.run(15 * secondMs);
    const messageId = 'ab'.repeat(16);
    forge(ada, bob, bobsRelay, { kind: 'file', key: new Uint8Array(32).fill(7), blob: content, name: 'a.bin', mediaType: '', text: '' }, { messageId });
    ada.send(bob, 'two');
    world.run(5 * secondMs);
    expect(bob.files()).toHaveLength(1);
    const deleted: string[] = [];
    bob.ownBlobs.failing = (request) => { if (request.op === 'delete') deleted.push(request.op); return undefined; };
    forge(ada, bob, bobsRelay, { kind: 'taken-back', items: [{ messageId: fromHex(messageId) ?? expect.fail('no id'), atMs: 0 }] });
    ada.send(bob, 'three');
    world.run(5 * secondMs);
    expect(bob.files()[0]).toMatchObject({ stage: 'failed', failure: 'taken-back' });
    expect(deleted).toEqual([]);
  });

  it('that were begun and left with a crash are forgotten after a day', () => {
    const { world, ada, bob } = friends();
    publish(ada, seeded('public 14')(3_000_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    begin(bob, ada);
    world.runUntil(() => status(bob, ada)?.state.state === 'ready', minuteMs);
    bob.restart();
    world.run(hourMs);
    expect(bob.ownBlobs.all).toHaveLength(1);
    world.run(dayMs + hourMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('that change, or are withdrawn, while somebody waits for what nobody keeps now are looked up anew', () => {
    const { world, ada, bob, adasRelay } = friends();
    const older = publish(ada, seeded('public 17')(50_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    const before = adasRelay.mail.find(({ request }) => request.op === 'put-record' && request.kind === 'named')?.request;
    const newer = publish(ada, seeded('public 18')(60_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    const old: NonNullable<typeof adasRelay.instead> = (request) => request.op === 'get-record' && request.kind === 'named' && before?.op === 'put-record' ? { bytes: before.bytes, sequence: before.sequence } : undefined;
    adasRelay.instead = old;
    begin(bob, ada);
    world.run(3 * secondMs);
    expect(status(bob, ada)).toMatchObject({ found: { content: older }, state: { state: 'waiting', reason: 'no-source' } });
    adasRelay.instead = undefined;
    world.runUntil(() => isOver(bob, ada), minuteMs);
    expect(status(bob, ada)).toMatchObject({ found: { content: newer }, state: { state: 'ready' }, failure: undefined });
    end(bob, ada);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);

    const carl = world.add('carl');
    carl.addRelay(adasRelay);
    world.run(2 * secondMs);
    adasRelay.instead = old;
    begin(carl, ada);
    world.run(3 * secondMs);
    expect(ada.command({ name: 'unpublish', path })).toMatchObject({ ok: true });
    adasRelay.instead = undefined;
    world.runUntil(() => isOver(carl, ada), minuteMs);
    expect(status(carl, ada)).toMatchObject({ found: undefined, failure: 'withdrawn' });
    world.run(secondMs);
    expect(carl.ownBlobs.all).toEqual([]);
  });

  it('are waited for when it is only the relay that has gone, which is asked again no more than now and then', () => {
    const { world, ada, bob, adasRelay } = friends();
    const content = publish(ada, seeded('public 19')(4_000_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    begin(bob, ada);
    world.run(300);
    adasRelay.cutOff = true;
    for (let second = 0; second < 600; second += 30) {
      world.run(30 * secondMs);
      expect(bob.command({ name: 'fetch-named', publicKey: ada.publicKey, path, relay: undefined, begin: false })).toMatchObject({ ok: true });
    }
    expect(status(bob, ada)?.failure).toBeUndefined();
    adasRelay.cutOff = false;
    const asked = adasRelay.mailCount('get-record');
    world.runUntil(() => isOver(bob, ada), 2 * minuteMs);
    expect(status(bob, ada)).toMatchObject({ found: { content }, state: { state: 'ready' } });
    expect(adasRelay.mailCount('get-record') - asked).toBeLessThan(30);
  });

  it('that were replaced or withdrawn just before a crash leave nothing behind for longer than a day', () => {
    const { world, ada, adasRelay } = friends();
    publish(ada, seeded('public 20')(50_000));
    world.runUntil(() => isHeld(ada), minuteMs);
    const newer = addBlob(ada, seeded('public 21')(60_000));
    ada.ask({ name: 'publish', path, content: newer, mediaType: '' });
    ada.restart('keep');
    world.run(hourMs);
    expect(ada.engine.inspect.published().map(({ content }) => content)).toEqual([newer]);
    expect(ada.ownBlobs.all).toHaveLength(2);
    world.run(dayMs + hourMs);
    expect(ada.ownBlobs.all.map(({ name }) => name)).toEqual([newer]);
    expect(adasRelay.heldBlobs.all.some(({ name }) => name.length === newer.length)).toBe(true);
  });

  it('that are taken back while they are fetched are here until the fetch has ended', () => {
    const { world, ada } = friends();
    const content = publish(ada, seeded('public 22')(50_000));
    expect(fetched(ada, ada)).toMatchObject({ state: { state: 'ready' } });
    expect(ada.command({ name: 'unpublish', path })).toMatchObject({ ok: true });
    expect(ada.ownBlobs.bytesOf(content)).toBeDefined();
    end(ada, ada);
    world.run(secondMs);
    expect(ada.ownBlobs.all).toEqual([]);
  });

  it('under several names with the same content are held once, and until the last is withdrawn', () => {
    const { world, ada, bob, adasRelay } = friends();
    const bytes = seeded('public 15')(80_000);
    publish(ada, bytes);
    publish(ada, bytes, 'docs/latest');
    world.runUntil(() => isHeld(ada), minuteMs);
    expect(ada.command({ name: 'unpublish', path: 'docs/latest' })).toMatchObject({ ok: true });
    world.run(5 * secondMs);
    expect(adasRelay.heldBlobs.all).toHaveLength(1);
    expect(fetched(bob, ada)).toMatchObject({ state: { state: 'ready' } });
    expect(ada.engine.inspect.published()).toHaveLength(1);
  });

  it('of one’s own are here at once; bad names and keys are refused', () => {
    const { ada, bob } = friends();
    publish(ada, seeded('public 16')(10_000));
    expect(fetched(ada, ada)).toMatchObject({ state: { state: 'ready' } });
    expect(ada.command({ name: 'publish', path: '../x', content: { root: new Uint8Array(32), length: 1 }, mediaType: '' })).toMatchObject({ ok: false, code: 'bad-name' });
    expect(bob.command({ name: 'fetch-named', publicKey: '02', path, relay: undefined, begin: true })).toMatchObject({ ok: false, code: 'bad-address' });
    expect(bob.command({ name: 'fetch-named', publicKey: ada.publicKey, path, relay: undefined, begin: false })).toMatchObject({ ok: false, code: 'not-found' });
  });
});

describe('what was fetched by name and is named by a message too', () => {
  it('what came with a message stays when it had been fetched by name before', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const content = publish(ada, seeded('public same 1')(80_000));
    world.runUntil(() => ada.engine.inspect.published().every(({ file }) => file.state.state === 'ready'), minuteMs);
    bob.command({ name: 'fetch-named', publicKey: ada.publicKey, path, relay: undefined, begin: true });
    world.runUntil(() => bob.engine.inspect.namedFetch(ada.publicKey, path)?.state.state === 'ready', minuteMs);
    forge(ada, bob, relay, { kind: 'file', key: new Uint8Array(32).fill(7), blob: content, name: 'a.bin', mediaType: '', text: '' }, { messageId: 'ad'.repeat(16) });
    ada.send(bob, 'two');
    world.run(20 * secondMs);
    expect(bob.files().map(({ stage }) => stage)).toEqual(['ready']);
    bob.command({ name: 'end-fetch-named', publicKey: ada.publicKey, path });
    world.run(10 * secondMs);
    expect(bob.files().map(({ stage }) => stage)).toEqual(['ready']);
    expect(bob.ownBlobs.all).toMatchObject([{ complete: true }]);
  });

  it('what was fetched by name does not stay for ever because a message names it too', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const content = publish(ada, seeded('public same 2')(80_000));
    world.runUntil(() => ada.engine.inspect.published().every(({ file }) => file.state.state === 'ready'), minuteMs);
    const messageId = 'ac'.repeat(16);
    forge(ada, bob, relay, { kind: 'file', key: new Uint8Array(32).fill(7), blob: content, name: 'a.bin', mediaType: '', text: '' }, { messageId });
    forge(ada, bob, relay, { kind: 'taken-back', items: [{ messageId: fromHex(messageId) ?? expect.fail('no id'), atMs: 0 }] });
    ada.send(bob, 'two');
    world.run(20 * secondMs);
    bob.command({ name: 'fetch-named', publicKey: ada.publicKey, path, relay: undefined, begin: true });
    world.runUntil(() => ['ready', 'failed'].includes(bob.engine.inspect.namedFetch(ada.publicKey, path)?.state.state ?? ''), minuteMs);
    expect(bob.engine.inspect.namedFetch(ada.publicKey, path)?.state.state).toBe('ready');
    bob.command({ name: 'end-fetch-named', publicKey: ada.publicKey, path });
    world.run(minuteMs);
    bob.restart();
    world.run(2 * minuteMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });
});
