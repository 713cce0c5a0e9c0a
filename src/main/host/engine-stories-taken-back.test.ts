/** A file that its sender took back after its message had arrived: the recipient is told so by the sender, and by nobody else. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../engine/wire/bytes.ts';
import { befriend, forge, friends, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import type { FileState } from '../../shared/file-views.ts';
import type { SealedFile } from '../engine/command-types.ts';

const fileKey = new Uint8Array(32).fill(7);
const small = { heldPerRecipientBytes: 20_000 };

function seal(by: StoryNode, seed: string, sizeBytes: number): SealedFile {
  const { root, blobBytes } = by.ownBlobs.addFile(fileKey, seeded(seed)(sizeBytes));
  return { name: `${seed}.bin`, mediaType: '', sizeBytes, key: fileKey, root, blobBytes };
}

function send(from: StoryNode, to: StoryNode, file: SealedFile): string {
  const reply = from.command({ name: 'send-file', to: to.publicKey, port: 1, text: '', ttlSeconds: undefined, file });
  if (!reply.ok || reply.value === undefined || !('messageId' in reply.value)) throw new Error(JSON.stringify(reply));
  return reply.value.messageId;
}
const shown = (node: StoryNode): readonly FileState[] => node.files().map((row) => node.engine.inspect.fileStatus(row).state);
const takenBack = { state: 'failed', reason: 'taken-back' };

/** Bob has the message; no relay holds the file, and ada does not serve it. */
function waiting(seed: string): ReturnType<typeof friends> & { readonly id: string } {
  const all = friends(1, small);
  all.ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
  const id = send(all.ada, all.bob, seal(all.ada, seed, 100_000));
  all.world.runUntil(() => all.bob.files().length === 1, minuteMs);
  all.world.run(10 * secondMs);
  expect(shown(all.bob)).toMatchObject([{ state: 'waiting' }]);
  return { ...all, id };
}

describe('a file that is taken back after its message came', () => {
  it('says so at the recipient, cannot be asked for again, and leaves nothing', () => {
    const { world, ada, bob, id } = waiting('back 1');
    ada.command({ name: 'cancel-file', messageId: id });
    world.run(5 * secondMs);
    expect(shown(bob)).toEqual([takenBack]);
    expect(bob.ownBlobs.all).toEqual([]);
    expect(bob.command({ name: 'fetch-file', messageId: bob.files()[0]?.messageId ?? '' })).toMatchObject({ ok: false, code: 'not-found' });
    bob.restart();
    world.run(minuteMs);
    expect(shown(bob)).toEqual([takenBack]);
  });

  it('says so as soon as the sender is there again, though power failed there', () => {
    const { world, ada, bob, id } = waiting('back 2');
    ada.cutOff = true;
    world.run(minuteMs);
    expect(shown(bob)[0]?.state).toMatch(/^(waiting|moving)$/);
    ada.command({ name: 'cancel-file', messageId: id });
    ada.restart();
    world.run(minuteMs);
    expect(shown(bob)[0]?.state).toMatch(/^(waiting|moving)$/);
    ada.cutOff = false;
    world.runUntil(() => shown(bob)[0]?.state === 'failed', 10 * minuteMs);
    expect(shown(bob)).toEqual([takenBack]);
  });

  it.each(['drop', 'keep'] as const)('says so though power failed at the recipient at any commit, what waited for it %s', (mode) => {
    for (let commits = 0; commits < 4; commits += 1) {
      const { world, ada, bob, id } = waiting('back 3');
      bob.crashMode = mode;
      bob.commitsBeforeCrash = commits;
      ada.command({ name: 'cancel-file', messageId: id });
      world.run(5 * secondMs);
      bob.commitsBeforeCrash = undefined;
      if (bob.off) bob.restart(mode);
      world.runUntil(() => shown(bob)[0]?.state === 'failed', 10 * minuteMs);
      expect(shown(bob)).toEqual([takenBack]);
    }
  });

  it('says so also when it was paused, and not when all of it is here', () => {
    const { world, ada, bob, id } = waiting('back 4');
    bob.command({ name: 'pause-file', messageId: bob.files()[0]?.messageId ?? '' });
    ada.ownBlobs.failing = () => undefined;
    const second = send(ada, bob, seal(ada, 'back 4 too', 10_000));
    world.runUntil(() => ada.file(second).stage === 'ready', minuteMs);
    ada.command({ name: 'cancel-file', messageId: id });
    expect(ada.command({ name: 'cancel-file', messageId: second })).toMatchObject({ ok: false });
    world.run(5 * secondMs);
    expect(shown(bob)).toEqual([takenBack, { state: 'ready' }]);
  });

  it('is not believed of relays that have lost it, nor of other people', () => {
    const { world, ada, bob, bobsRelays: [relay], id } = waiting('back 5');
    const carol = world.add('carol');
    carol.addRelay(relay);
    world.run(2 * secondMs);
    befriend(carol, bob);
    const messageId = fromHex(id) ?? expect.fail('no id');
    const masked = fromHex(bob.files()[0]?.messageId ?? '') ?? expect.fail('no id');
    forge(carol, bob, relay, { kind: 'taken-back', items: [{ messageId, atMs: 0 }, { messageId: masked, atMs: 0 }] });
    carol.send(bob, 'hello');
    ada.cutOff = true;
    world.run(5 * minuteMs);
    expect(bob.inbox()).toContain('hello');
    expect(relay.heldBlobs.all).toEqual([]);
    expect(shown(bob)[0]?.state).toMatch(/^(waiting|moving)$/);
  });

  it('says so when the word came before the message', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends(1, small);
    const messageId = 'ab'.repeat(16);
    const file = seal(ada, 'back 6', 100_000);
    forge(ada, bob, relay, { kind: 'taken-back', items: [{ messageId: fromHex(messageId) ?? expect.fail('no id'), atMs: 0 }] });
    ada.send(bob, 'one');
    world.run(10 * secondMs);
    bob.restart();
    world.run(10 * secondMs);
    forge(ada, bob, relay, { kind: 'file', key: fileKey, blob: { root: file.root, length: file.blobBytes }, name: 'a.bin', mediaType: '', text: '' }, { messageId });
    ada.send(bob, 'two');
    world.run(10 * secondMs);
    expect(bob.inbox()).toContain('two');
    expect(shown(bob)).toEqual([takenBack]);
  });
});

describe('a file whose message never left', () => {
  it('is taken back without a word', () => {
    const { world, ada } = friends();
    const carol = world.add('carol');
    const id = send(ada, carol, seal(ada, 'back 7', 1_000));
    ada.command({ name: 'cancel', messageId: id });
    world.run(minuteMs);
    expect(ada.file(id)).toMatchObject({ stage: 'failed', failure: 'cancelled', copy: 'gone' });
    expect(ada.disk().outbox.filter(({ recipient }) => recipient === carol.publicKey).map(({ kind }) => kind)).not.toContain('receipt');
  });
});
