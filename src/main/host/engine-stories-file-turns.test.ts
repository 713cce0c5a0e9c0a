/** Many files at once: a few are worked on, the others say what they wait for, and none waits for one that goes nowhere. */
import { describe, expect, it } from 'vitest';
import { uploadsMaximum } from '../engine/files/upload-turns.ts';
import { befriend, friends, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import { fileHeldMaximumBytes, type FileState } from '../../shared/file-views.ts';
import type { SealedFile } from '../engine/command-types.ts';

const fileKey = new Uint8Array(32).fill(7);

function seal(by: StoryNode, seed: string, sizeBytes: number): SealedFile {
  const { root, blobBytes } = by.ownBlobs.addFile(fileKey, seeded(seed)(sizeBytes));
  return { name: `${seed}.bin`, mediaType: '', sizeBytes, key: fileKey, root, blobBytes };
}

const sendAll = (from: StoryNode, to: StoryNode, files: readonly SealedFile[]): void => {
  for (const file of files) from.ask({ name: 'send-file', to: to.publicKey, port: 1, text: '', ttlSeconds: undefined, file });
};
const many = (by: StoryNode, seed: string, count: number, sizeBytes: number): readonly SealedFile[] => Array.from({ length: count }, (_, index) => seal(by, `${seed} ${String(index)}`, sizeBytes));
const shown = (node: StoryNode): readonly FileState[] => node.files().map((row) => node.engine.inspect.fileStatus(row).state);
const stages = (node: StoryNode): readonly string[] => node.files().map(({ stage }) => stage);
const partials = (node: StoryNode): number => node.heldBlobs.all.filter(({ complete }) => !complete).length;

describe('many files that one person sends', () => {
  it('go a few at a time, the others say how many are before them, and all arrive', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    // They are asked for, and nothing comes of it.
    ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
    sendAll(ada, bob, many(ada, 'turns 1', 30, 100_000));
    world.run(10 * secondMs);
    expect(partials(relay)).toBe(uploadsMaximum);
    const waiting = shown(ada).map((state) => (state.state === 'waiting' && state.reason === 'others-first' ? state.othersFirst : undefined));
    expect(waiting.slice(0, uploadsMaximum)).toEqual(Array.from({ length: uploadsMaximum }, () => undefined));
    expect(waiting.slice(uploadsMaximum)).toEqual(Array.from({ length: 30 - uploadsMaximum }, (_, index) => Math.min(21, uploadsMaximum + index)));
    ada.ownBlobs.failing = () => undefined;
    let most = 0;
    for (let waitedMs = 0; waitedMs < 5 * minuteMs && !shown(ada).every(({ state }) => state === 'ready'); waitedMs += secondMs) {
      world.run(secondMs);
      most = Math.max(most, shown(ada).filter(({ state }) => state === 'moving').length);
    }
    expect(shown(ada).map(({ state }) => state)).toEqual(Array.from({ length: 30 }, () => 'ready'));
    expect(most).toBeLessThanOrEqual(uploadsMaximum);
    bob.cutOff = false;
    world.runUntil(() => stages(ada).every((stage) => stage === 'ready'), 10 * minuteMs);
  });

  it('go on after a restart, the oldest first', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    relay.cutOff = true;
    const files = many(ada, 'turns 2', 20, 60_000);
    sendAll(ada, bob, files);
    world.run(minuteMs);
    ada.restart();
    ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
    relay.cutOff = false;
    world.runUntil(() => partials(relay) === uploadsMaximum, 3 * minuteMs);
    const taken = relay.heldBlobs.all.map(({ name }) => files.findIndex(({ root }) => root.every((byte, index) => byte === name.root[index])));
    expect(taken.toSorted((left, right) => left - right)).toEqual(Array.from({ length: uploadsMaximum }, (_, index) => index));
    ada.ownBlobs.failing = () => undefined;
    bob.cutOff = false;
    world.runUntil(() => stages(ada).every((stage) => stage === 'ready'), 10 * minuteMs);
  });

  it('and that no relay takes keep back nobody else\'s, and go through in turns when their recipient is there', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends(1, { heldPerRecipientBytes: 50_000 });
    const carol = world.add('carol');
    carol.addRelay(relay);
    world.run(2 * secondMs);
    befriend(ada, carol);
    bob.cutOff = true;
    sendAll(ada, bob, many(ada, 'turns 3', 20, 100_000));
    world.run(2 * minuteMs);
    expect(shown(ada).filter((state) => state.state === 'waiting' && state.reason === 'relay-full').length).toBeGreaterThanOrEqual(uploadsMaximum);
    sendAll(ada, carol, [seal(ada, 'turns 3 carol', 20_000)]);
    world.runUntil(() => carol.files()[0]?.stage === 'ready', minuteMs);
    bob.cutOff = false;
    world.runUntil(() => stages(ada).every((stage) => stage === 'ready'), 30 * minuteMs);
  });

  it('keep their place when they are paused and asked for again', () => {
    const { world, ada, bob } = friends();
    bob.cutOff = true;
    ada.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
    sendAll(ada, bob, many(ada, 'turns 4', uploadsMaximum + 4, 100_000));
    world.run(5 * secondMs);
    const second = ada.files()[uploadsMaximum + 1];
    ada.command({ name: 'pause-file', messageId: second?.messageId ?? '' });
    ada.command({ name: 'fetch-file', messageId: second?.messageId ?? '' });
    expect(shown(ada).slice(uploadsMaximum)).toMatchObject([{ othersFirst: uploadsMaximum }, { othersFirst: uploadsMaximum + 1 }, { othersFirst: uploadsMaximum + 2 }, { othersFirst: uploadsMaximum + 3 }]);
    const first = ada.files()[0];
    ada.command({ name: 'cancel-file', messageId: first?.messageId ?? '' });
    expect(shown(ada)[uploadsMaximum]).not.toMatchObject({ reason: 'others-first' });
    expect(shown(ada)[uploadsMaximum + 1]).toMatchObject({ reason: 'others-first', othersFirst: uploadsMaximum });
  });
});

describe('many files that come', () => {
  it('say that others come first', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    sendAll(ada, bob, many(ada, 'turns 5', 10, 1_000_000));
    world.runUntil(() => shown(ada).every(({ state }) => state === 'ready'), 10 * minuteMs);
    bob.cutOff = false;
    // Letters come, and of the files no more than their beginnings.
    let passed = 0;
    world.passes = (from, node) => {
      if (from === relay && node === bob) passed += 1;
      return passed < 400;
    };
    world.runUntil(() => bob.files().length === 10, minuteMs);
    world.run(100);
    expect(shown(bob).filter((state) => state.state === 'waiting' && state.reason === 'others-first').length).toBeGreaterThanOrEqual(1);
    world.passes = () => true;
    world.runUntil(() => stages(bob).every((stage) => stage === 'ready'), 10 * minuteMs);
  });
});

describe('what relays hold for somebody', () => {
  it('is known from them once there was a session, and said of files that are larger', () => {
    const { world, ada, bob } = friends(2, { heldPerRecipientBytes: 50_000 });
    bob.cutOff = true;
    expect(ada.engine.inspect.relayHoldsBytes(bob.publicKey)).toBe(50_000);
    sendAll(ada, bob, [seal(ada, 'limits 1', 60_000)]);
    world.run(10 * secondMs);
    expect(shown(ada)[0]).toMatchObject({ state: 'waiting', reason: 'relay-full', relayHoldsBytes: 50_000 });
    ada.restart();
    expect(ada.engine.inspect.relayHoldsBytes(bob.publicKey), 'before any session').toBeUndefined();
    expect(shown(ada)[0]).not.toHaveProperty('relayHoldsBytes');
    world.run(minuteMs);
    expect(ada.engine.inspect.relayHoldsBytes(bob.publicKey)).toBe(50_000);
  });
  it('is what their operators did not change, otherwise', () => {
    const { ada, bob } = friends();
    expect(ada.engine.inspect.relayHoldsBytes(bob.publicKey)).toBe(fileHeldMaximumBytes);
    expect(ada.engine.inspect.relayHoldsBytes(ada.publicKey)).toBeUndefined();
  });
});
