/** Files between two people over relays, whole engines in a world of their own time. */
import { describe, expect, it } from 'vitest';
import { StoryWorld, befriend, crypto, friends, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';

const fileKey = new Uint8Array(32).fill(7);

function sendFile(from: StoryNode, to: StoryNode, content: Uint8Array, name = 'photo.png'): string {
  const { root, blobBytes } = from.ownBlobs.addFile(fileKey, content);
  const reply = from.command({
    name: 'send-file', to: to.publicKey, port: 1, text: 'look', ttlSeconds: undefined,
    file: { name, mediaType: 'image/png', sizeBytes: content.length, key: fileKey, root, blobBytes },
  });
  if (!reply.ok || reply.value === undefined || !('messageId' in reply.value)) throw new Error(JSON.stringify(reply));
  return reply.value.messageId;
}

const received = (node: StoryNode): ReturnType<StoryNode['files']> => node.files();

/** Of the newest file there, as it is shown; 0 when nothing is said of bytes. */
function doneBytesOf(node: StoryNode): number {
  const row = node.files().at(-1);
  const state = row === undefined ? undefined : node.engine.inspect.fileStatus(row).state;
  return state?.state === 'moving' || state?.state === 'waiting' ? state.doneBytes : 0;
}

describe('files', () => {
  it('of a contact arrive by the relay, are told to the sender and forgotten by the relay', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const content = seeded('file 1')(300_000);
    const id = sendFile(ada, bob, content);
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 60_000);
    const [row] = received(bob);
    expect(row).toMatchObject({ name: 'photo.png', mediaType: 'image/png', sizeBytes: 300_000, direction: 'in' });
    expect(row === undefined ? undefined : bob.ownBlobs.bytesOf({ root: row.root, length: row.blobBytes })).toBeDefined();
    world.run(30 * secondMs);
    expect(ada.file(id).stage).toBe('ready');
    // Whoever held it meanwhile is not named any more.
    expect(ada.engine.inspect.fileStatus(ada.file(id))).toEqual({ state: { state: 'ready' }, holders: [] });
    expect(relay.heldBlobs.all).toEqual([]);
  });

  it('wait at the relay while the recipient is away, and come when the sender has gone', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    const id = sendFile(ada, bob, seeded('file 2')(2_000_000));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 120_000);
    world.run(5 * secondMs);
    expect(ada.engine.inspect.fileStatus(ada.file(id))).toMatchObject({ state: { state: 'ready' }, holders: [{ relay: relay.publicKey, complete: true }] });
    ada.cutOff = true;
    bob.cutOff = false;
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 300_000);
  });

  it('go on from what was durable after either side lost power', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    sendFile(ada, bob, seeded('file 3')(12_000_000));
    for (const node of [relay, ada, bob, relay, bob]) {
      world.run(2 * secondMs);
      node.restart();
    }
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 600_000);
    expect(crypto.implementation).toBeDefined();
  });

  it.each([8, 10, 12, 14, 17, 20, 30])('are offered again as soon as their sender is back after %i s at a relay that is its own as well', (awaySeconds) => {
    const world = new StoryWorld();
    const relay = world.relay('relay of both');
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    for (const node of [ada, bob]) node.addRelay(relay);
    world.run(2 * secondMs);
    befriend(ada, bob);
    bob.cutOff = true;
    ada.cutOff = true;
    const id = sendFile(ada, bob, seeded('file 8')(500_000));
    world.run(awaySeconds * secondMs);
    ada.cutOff = false;
    // The letter goes as soon as the link is up.
    world.runUntil(() => ada.engine.inspect.outbox().every(({ headline }) => headline.state === 'stored'), 60_000);
    world.run(3 * secondMs);
    expect(ada.engine.inspect.fileStatus(ada.file(id))).toMatchObject({ state: { state: 'ready' } });
  });

  it('that a relay has no room for come through it while both are there', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.instead = (request) => request.op === 'hold-blob' ? { outcome: 'quota' } : undefined;
    const id = sendFile(ada, bob, seeded('file 4')(3_000_000));
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 120_000);
    expect(relay.heldBlobs.all).toEqual([]);
    world.run(30 * secondMs);
    expect(ada.file(id).stage).toBe('ready');
    expect(relay.count('request.drop.responses-forwarded')).toBeGreaterThan(80);
  });

  it('wait with a full disk, and go on from what came when there is room', () => {
    const { world, ada, bob } = friends();
    let writes = 0;
    bob.ownBlobs.failing = (request) => request.op === 'write' && (writes += 1) > 20 ? 'disk-full' : undefined;
    sendFile(ada, bob, seeded('file 5')(5_000_000));
    world.runUntil(() => bob.files().some((row) => bob.engine.inspect.fileStatus(row).state.state === 'waiting'), 60_000);
    const [row] = bob.files();
    expect(row === undefined ? undefined : bob.engine.inspect.fileStatus(row).state).toMatchObject({ state: 'waiting', reason: 'disk-full' });
    bob.ownBlobs.failing = () => undefined;
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 300_000);
  });

  it('larger than what is fetched unasked, or of strangers, wait to be asked for', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const id = sendFile(ada, bob, seeded('file 6')(17 * 1_048_576));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 300_000);
    const [row] = bob.files();
    expect(row).toMatchObject({ stage: 'offered' });
    relay.cutOff = true;
    expect(bob.command({ name: 'fetch-file', messageId: row?.messageId ?? '' }).ok).toBe(true);
    world.run(secondMs);
    expect(bob.command({ name: 'pause-file', messageId: row?.messageId ?? '' }).ok).toBe(true);
    world.run(10 * secondMs);
    expect(received(bob)[0]?.stage).toBe('paused');
    relay.cutOff = false;
    expect(bob.command({ name: 'fetch-file', messageId: row?.messageId ?? '' }).ok).toBe(true);
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 300_000);
    world.run(30 * secondMs);
    expect(ada.file(id).stage).toBe('ready');
  });

  it('that are paused say how much is here, also after a restart, and go on from there', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    sendFile(ada, bob, seeded('file 8')(17 * 1_048_576));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 300_000);
    const messageId = bob.files()[0]?.messageId ?? '';
    world.passes = (_from, to) => to !== bob || doneBytesOf(bob) < 1_000_000;
    expect(bob.command({ name: 'fetch-file', messageId }).ok).toBe(true);
    world.run(2 * secondMs);
    const pausedBytes = doneBytesOf(bob);
    expect(bob.command({ name: 'pause-file', messageId }).ok).toBe(true);
    expect(doneBytesOf(bob)).toBe(pausedBytes);
    world.run(secondMs);
    expect(pausedBytes).toBeGreaterThanOrEqual(1_000_000);
    world.passes = () => true;
    bob.restart();
    world.run(secondMs);
    expect(bob.engine.inspect.fileStatus(bob.file(messageId)).state).toEqual({ state: 'waiting', reason: 'paused', doneBytes: pausedBytes });
    expect(bob.command({ name: 'fetch-file', messageId }).ok).toBe(true);
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 300_000);
  });

  it('that are cancelled leave nothing behind, at either side or between', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    const id = sendFile(ada, bob, seeded('file 7')(1_000_000));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 60_000);
    expect(ada.command({ name: 'cancel-file', messageId: id }).ok).toBe(true);
    world.run(30 * secondMs);
    expect(relay.heldBlobs.all).toEqual([]);
    expect(ada.engine.inspect.fileStatus(ada.file(id)).state).toEqual({ state: 'failed', reason: 'cancelled' });
    // Its message goes with it.
    expect(ada.state(id)).toBe('cancelled');
    bob.cutOff = false;
    world.run(60 * secondMs);
    expect(received(bob)).toEqual([]);
  });

  it('are cancelled with the message that carries them', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    const id = sendFile(ada, bob, seeded('file 9')(1_000_000));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 60_000);
    expect(ada.command({ name: 'cancel', messageId: id }).ok).toBe(true);
    world.run(30 * secondMs);
    expect(relay.heldBlobs.all).toEqual([]);
    expect(ada.engine.inspect.fileStatus(ada.file(id)).state).toEqual({ state: 'failed', reason: 'cancelled' });
  });

  it('are as fast as before after everything was lost when they began', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    sendFile(ada, bob, seeded('file 8')(17 * 1_048_576));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), 300_000);
    world.passes = (_from, to) => to !== bob;
    bob.command({ name: 'fetch-file', messageId: bob.files()[0]?.messageId ?? '' });
    world.run(300);
    world.passes = () => true;
    world.runUntil(() => received(bob)[0]?.stage === 'ready', 30 * secondMs);
  });
});
