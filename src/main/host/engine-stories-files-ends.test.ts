/** How files end when something comes between: power, disks, people who change their minds, and relays that are away. */
import { describe, expect, it } from 'vitest';
import { befriend, friends, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import type { SealedFile } from '../engine/engine-types.ts';

const fileKey = new Uint8Array(32).fill(7);

function seal(by: StoryNode, seed: string, sizeBytes: number): SealedFile {
  const { root, blobBytes } = by.ownBlobs.addFile(fileKey, seeded(seed)(sizeBytes));
  return { name: `${seed}.bin`, mediaType: '', sizeBytes, key: fileKey, root, blobBytes };
}

function send(from: StoryNode, to: StoryNode, file: SealedFile, ttlSeconds?: number): string {
  const reply = from.command({ name: 'send-file', to: to.publicKey, port: 1, text: '', ttlSeconds, file });
  if (!reply.ok || reply.value === undefined || !('messageId' in reply.value)) throw new Error(JSON.stringify(reply));
  return reply.value.messageId;
}

describe('a disk that fails', () => {
  it('for a while where the file lies does not end it', () => {
    const { world, ada, bob } = friends();
    ada.ownBlobs.failing = (request) => (request.op === 'read-record' ? 'io' : undefined);
    const id = send(ada, bob, seal(ada, 'ends 10', 100_000));
    world.run(minuteMs);
    expect(ada.file(id).stage).toBe('wanted');
    ada.ownBlobs.failing = () => undefined;
    world.runUntil(() => ada.file(id).stage === 'ready', 5 * minuteMs);
  });
});

describe('a relay', () => {
  it('takes files of others when those whose files it was taking have gone', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const carol = world.add('carol');
    carol.addRelay(relay);
    world.run(2 * secondMs);
    befriend(carol, bob);
    bob.cutOff = true;
    ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
    for (let index = 0; index < 40; index += 1) ada.ask({ name: 'send-file', to: bob.publicKey, port: 1, text: '', ttlSeconds: undefined, file: seal(ada, `ends 12 ${String(index)}`, 400_000) });
    world.runUntil(() => relay.heldBlobs.all.length >= 32, minuteMs);
    ada.cutOff = true;
    expect(relay.heldBlobs.all.filter(({ complete }) => !complete).length).toBeGreaterThanOrEqual(20);
    const id = send(carol, bob, seal(carol, 'ends 12 carol', 1_000));
    world.runUntil(() => carol.file(id).heldBy.includes(relay.publicKey), 10 * minuteMs);
  });
});
