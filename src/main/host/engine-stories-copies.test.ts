/** What becomes of the copies that people serve their sent files from: kept while somebody may need them, freed after that, and never said to be here when they are not. */
import { describe, expect, it } from 'vitest';
import { BlobShelf } from '../engine/files/blob-shelf.ts';
import { OwnCopies } from '../engine/files/own-copies.ts';
import { befriend, friends, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import type { SealedFile } from '../engine/command-types.ts';
import type { BlobRequest } from '../engine/files/blob-store.ts';
import type { FileRow, VisorChange } from '../engine/mail/visor-store.ts';
import type { VisorContext } from '../engine/visor-context.ts';
import type { ContentName } from '../engine/wire/types.ts';

const fileKey = new Uint8Array(32).fill(7);
const hourMs = 60 * minuteMs;
const nameOf = ({ root, blobBytes }: { readonly root: Uint8Array; readonly blobBytes: number }): ContentName => ({ root, length: blobBytes });

function seal(by: StoryNode, seed: string, sizeBytes: number, mediaType = ''): SealedFile {
  const { root, blobBytes } = by.ownBlobs.addFile(fileKey, seeded(seed)(sizeBytes));
  return { name: `${seed}.bin`, mediaType, sizeBytes, key: fileKey, root, blobBytes };
}

function send(from: StoryNode, to: StoryNode, file: SealedFile, ttlSeconds?: number): string {
  const reply = from.command({ name: 'send-file', to: to.publicKey, port: 1, text: '', ttlSeconds, file });
  if (!reply.ok || reply.value === undefined || !('messageId' in reply.value)) throw new Error(JSON.stringify(reply));
  return reply.value.messageId;
}

const copies = (node: StoryNode): readonly string[] => node.files().map(({ copy }) => copy ?? 'here');

describe('the copy of a file that was sent', () => {
  it('is kept until the recipient has all of it, and deleted then', () => {
    const { world, ada, bob } = friends();
    bob.cutOff = true;
    const file = seal(ada, 'copies 1', 300_000);
    const id = send(ada, bob, file);
    world.runUntil(() => ada.file(id).heldBy.length > 0, minuteMs);
    world.run(3 * hourMs);
    expect(ada.ownBlobs.bytesOf(nameOf(file)), 'a relay holds it, which may still lose it').toBeDefined();
    bob.cutOff = false;
    world.runUntil(() => ada.file(id).stage === 'ready', 5 * minuteMs);
    world.run(secondMs);
    expect(ada.ownBlobs.all).toEqual([]);
    expect(ada.file(id)).toMatchObject({ stage: 'ready', copy: 'gone' });
    expect(bob.ownBlobs.bytesOf(nameOf(file)), 'what came is theirs').toBeDefined();
  });

  it('is deleted when it was cancelled, and when its time is over, and cannot be asked for again', () => {
    const { world, ada, bob } = friends();
    bob.cutOff = true;
    const cancelled = send(ada, bob, seal(ada, 'copies 2', 50_000, 'image/png'));
    const expired = send(ada, bob, seal(ada, 'copies 3', 50_000), 60);
    const paused = send(ada, bob, seal(ada, 'copies 4', 50_000), 60);
    world.run(5 * secondMs);
    ada.command({ name: 'cancel-file', messageId: cancelled });
    ada.command({ name: 'pause-file', messageId: paused });
    world.run(2 * hourMs);
    expect(ada.files().map(({ stage, failure, copy }) => [stage, failure, copy])).toEqual([['failed', 'cancelled', 'gone'], ['failed', 'expired', 'gone'], ['failed', 'expired', 'gone']]);
    expect(ada.ownBlobs.all).toEqual([]);
    expect(ada.command({ name: 'fetch-file', messageId: expired })).toMatchObject({ ok: false, code: 'not-found' });
  });

  it('stays when the conversation shows the picture', () => {
    const { world, ada, bob } = friends();
    const picture = seal(ada, 'copies 5', 50_000, 'image/png');
    const id = send(ada, bob, picture);
    send(ada, bob, seal(ada, 'copies 6', 17 * 1_048_576, 'image/png'));
    world.runUntil(() => ada.files().every(({ stage }) => stage === 'ready') || bob.files().some(({ stage }) => stage === 'offered'), 5 * minuteMs);
    const offered = bob.files().find(({ stage }) => stage === 'offered');
    bob.command({ name: 'fetch-file', messageId: offered?.messageId ?? '' });
    world.runUntil(() => ada.files().every(({ stage }) => stage === 'ready'), 10 * minuteMs);
    world.run(2 * hourMs);
    expect(copies(ada)).toEqual(['here', 'gone']);
    ada.restart();
    world.run(2 * hourMs);
    expect(copies(ada)).toEqual(['here', 'gone']);
    expect(ada.ownBlobs.bytesOf(nameOf(picture))).toBeDefined();
    expect(ada.file(id).copy).toBeUndefined();
  });

  it.each(['drop', 'keep'] as const)('is deleted after a crash at any commit on the way, what waited for it %s', (mode) => {
    let crashes = 0;
    for (let commits = 0; commits < 12; commits += 1) {
      const { world, ada, bob } = friends();
      bob.cutOff = true;
      const id = send(ada, bob, seal(ada, 'copies 7', 30_000));
      world.run(5 * secondMs);
      bob.cutOff = false;
      ada.crashMode = mode;
      ada.commitsBeforeCrash = commits;
      for (let waitedMs = 0; waitedMs < minuteMs && !ada.off; waitedMs += secondMs) world.run(secondMs);
      if (ada.off) {
        crashes += 1;
        ada.commitsBeforeCrash = undefined;
        ada.restart(mode);
      }
      world.runUntil(() => ada.file(id).copy === 'gone', 10 * minuteMs);
      expect(ada.ownBlobs.all).toEqual([]);
    }
    expect(crashes, 'its end, `freeing` and `gone` among them').toBeGreaterThanOrEqual(4);
  });

  it('is tried again when the disk did not delete it', () => {
    const { world, ada, bob } = friends();
    ada.ownBlobs.failing = (request) => (request.op === 'delete' ? 'io' : undefined);
    const id = send(ada, bob, seal(ada, 'copies 8', 30_000));
    world.runUntil(() => ada.file(id).copy === 'freeing', 5 * minuteMs);
    world.run(2 * hourMs);
    expect(ada.file(id).copy).toBe('freeing');
    ada.ownBlobs.failing = () => undefined;
    ada.restart();
    world.runUntil(() => ada.file(id).copy === 'gone', minuteMs);
    expect(ada.ownBlobs.all).toEqual([]);
  });

  it('stays for another message that carries the same', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const carol = world.add('carol');
    carol.addRelay(relay);
    world.run(2 * secondMs);
    befriend(ada, carol);
    bob.cutOff = true;
    carol.cutOff = true;
    const file = seal(ada, 'copies 9', 30_000);
    const toBob = send(ada, bob, file);
    const toCarol = send(ada, carol, file);
    bob.cutOff = false;
    world.runUntil(() => ada.file(toBob).stage === 'ready', minuteMs);
    world.run(2 * hourMs);
    expect([ada.file(toBob).copy, ada.file(toCarol).copy]).toEqual([undefined, undefined]);
    expect(ada.ownBlobs.bytesOf(nameOf(file))).toBeDefined();
    carol.cutOff = false;
    world.runUntil(() => ada.file(toCarol).copy === 'gone' && ada.file(toBob).copy === 'gone', 10 * minuteMs);
    expect(ada.ownBlobs.all).toEqual([]);
  });

  it('stays as the file of somebody who sent back what he had from us', () => {
    const { world, ada, bob } = friends();
    const file = seal(ada, 'copies 10', 30_000);
    bob.ownBlobs.addFile(fileKey, seeded('copies 10')(30_000));
    bob.cutOff = true;
    const out = send(ada, bob, file);
    world.run(10 * secondMs);
    bob.cutOff = false;
    send(bob, ada, file);
    world.runUntil(() => ada.files().every(({ stage }) => stage === 'ready'), 5 * minuteMs);
    world.run(2 * hourMs);
    ada.restart();
    world.run(2 * hourMs);
    const back = ada.files().find(({ direction }) => direction === 'in');
    expect([back?.stage, back?.copy]).toEqual(['ready', undefined]);
    expect(ada.ownBlobs.bytesOf(nameOf(file))).toBeDefined();
    expect(ada.file(out).stage).toBe('ready');
  });
});

describe('copies that only take room', () => {
  const picture = (number: number, change: Partial<FileRow> = {}): FileRow => ({
    messageId: String(number), conversationId: 'x:1', direction: 'out', name: '', mediaType: 'image/png', key: fileKey, sizeBytes: 90, root: new Uint8Array(32).fill(number), blobBytes: 100,
    stage: 'ready', failure: undefined, heldBy: [], expiresAtMs: 0, ...change,
  });

  function tidied(rows: readonly FileRow[], bounds: { keptBytes: number; keptMaximum: number }, received: readonly number[] = []): { readonly rows: readonly (readonly [string, string])[]; readonly deleted: readonly number[] } {
    const files = new Map(rows.map((row) => [row.messageId, row]));
    const deleted: number[] = [];
    const context: Pick<VisorContext, 'commit' | 'received'> & { readonly memory: Pick<VisorContext['memory'], 'files' | 'published'> } = {
      memory: { files, published: new Map() },
      commit: (changes: readonly VisorChange[], options) => {
        for (const change of changes) if (change.kind === 'put-file') files.set(change.row.messageId, change.row);
        options?.done?.(true, { monotonicMs: 0, wallMs: 0 });
      },
      received: ({ root }, done) => { done({ received: received.includes(root[0] ?? 0) }, { monotonicMs: 0, wallMs: 0 }); },
    };
    const shelf = new BlobShelf((request, done) => {
      const asked: BlobRequest = request;
      if (asked.op === 'delete') deleted.push(asked.name.root[0] ?? 0);
      done({ ok: true, value: undefined } as Parameters<typeof done>[0], { monotonicMs: 0, wallMs: 0 });
    }, []);
    new OwnCopies(context as VisorContext, shelf, bounds).tidy();
    return { rows: [...files.values()].map(({ messageId, copy }) => [messageId, copy ?? 'here'] as const), deleted };
  }

  it('go oldest first beyond the bound of bytes, and beyond that of their number', () => {
    const rows = [1, 2, 3, 4].map((number) => picture(number));
    expect(tidied(rows, { keptBytes: 250, keptMaximum: 9 })).toEqual({ rows: [['1', 'gone'], ['2', 'gone'], ['3', 'here'], ['4', 'here']], deleted: [1, 2] });
    expect(tidied(rows, { keptBytes: 9_999, keptMaximum: 3 }).deleted).toEqual([1]);
  });
  it('go before smaller older ones stay', () => {
    expect(tidied([picture(1, { blobBytes: 10 }), picture(2, { blobBytes: 200 }), picture(3)], { keptBytes: 250, keptMaximum: 9 }).deleted).toEqual([1, 2]);
  });
  it('do not count while they are needed', () => {
    expect(tidied([picture(1), picture(2, { stage: 'wanted', blobBytes: 5_000 }), picture(3, { stage: 'paused', mediaType: '' })], { keptBytes: 150, keptMaximum: 9 }).deleted).toEqual([]);
  });
  it('are not deleted when they are what somebody else sent, long ago', () => {
    expect(tidied([picture(1, { mediaType: '' })], { keptBytes: 0, keptMaximum: 0 }, [1])).toEqual({ rows: [['1', 'gone']], deleted: [] });
  });
  it('all go, however many there are', () => {
    const rows = Array.from({ length: 200 }, (_, index) => picture(index, { mediaType: '' }));
    const { deleted, rows: after } = tidied(rows, { keptBytes: 0, keptMaximum: 0 });
    expect(deleted).toHaveLength(200);
    expect(after.every(([, copy]) => copy === 'gone')).toBe(true);
  });
});

describe('a blob that was sealed just before a crash', () => {
  it('is deleted at the next start when no message carries it, and stays when one does', () => {
    const { world, ada, bob } = friends();
    bob.cutOff = true;
    const sent = seal(ada, 'copies 11', 1_000);
    send(ada, bob, sent);
    const lost = seal(ada, 'copies 12', 1_000);
    const kept = seal(ada, 'copies 13', 1_000);
    world.run(secondMs);
    ada.unclaimed = [sent.root, lost.root];
    ada.restart();
    world.run(secondMs);
    expect([sent, lost, kept].map((file) => ada.ownBlobs.bytesOf(nameOf(file)) !== undefined)).toEqual([true, false, true]);
  });
});
