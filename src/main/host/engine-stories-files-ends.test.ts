/** How files end when something comes between: power, disks, people who change their minds, and relays that are away. */
import { describe, expect, it } from 'vitest';
import { nameKey } from '../engine/directed/datum.ts';
import { befriend, friends, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import type { SealedFile } from '../engine/command-types.ts';

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

const stages = (node: StoryNode): readonly string[] => node.files().map(({ stage, failure }) => failure ?? stage);
const isTaking = (node: StoryNode): boolean => node.ownBlobs.all.some(({ complete }) => !complete);

/** Nothing more comes from the relay after so many datagrams: a file would otherwise cross this world without time passing. */
function passOnly(count: number, relay: StoryNode, to: StoryNode): void {
  let passed = 0;
  to.world.passes = (from, node) => {
    if (from === relay && node === to) passed += 1;
    return passed < count;
  };
}

describe('a file that has come', () => {
  it('is told to its sender, though power failed just when it was noted', () => {
    const { world, ada, bob } = friends();
    send(ada, bob, seal(ada, 'ends 1', 300_000));
    world.runUntil(() => bob.files().length === 1, minuteMs);
    bob.holdCommits = true;
    world.runUntil(() => bob.ownBlobs.all.some(({ complete }) => complete), minuteMs);
    world.run(secondMs);
    bob.holdCommits = false;
    bob.restart('keep');
    expect(stages(bob)).toEqual(['ready']);
    world.runUntil(() => stages(ada)[0] === 'ready', minuteMs);
  });

  it('is dropped by a relay that could not be told before it, nor before a restart', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    send(ada, bob, seal(ada, 'ends 2', 300_000));
    world.runUntil(() => bob.files().length === 1, minuteMs);
    bob.holdCommits = true;
    world.runUntil(() => bob.ownBlobs.all.some(({ complete }) => complete), minuteMs);
    relay.cutOff = true;
    ada.cutOff = true;
    bob.holdCommits = false;
    world.run(20 * secondMs);
    expect(stages(bob)).toEqual(['ready']);
    bob.restart();
    expect(relay.heldBlobs.all).toHaveLength(1);
    relay.cutOff = false;
    world.runUntil(() => relay.heldBlobs.all.length === 0, 5 * minuteMs);
    world.run(secondMs);
    expect(bob.disk().files).toEqual([]);
  });

  it('is here whatever moment it was paused at', () => {
    const { world, ada, bob } = friends();
    for (let index = 0; index < 12; index += 1) {
      const id = send(ada, bob, seal(ada, `ends 3 ${String(index)}`, 100_000));
      const isThere = (): boolean => bob.files().length === index + 1;
      for (let waitedMs = 0; !isThere() && waitedMs < minuteMs; waitedMs += 5) world.run(5);
      world.run(900 + index * 25);
      const { messageId } = bob.files().at(-1) ?? bob.file('');
      bob.ask({ name: 'pause-file', messageId });
      world.run(index % 3 === 0 ? 0 : secondMs);
      bob.ask({ name: 'fetch-file', messageId });
      world.runUntil(() => bob.file(messageId).stage === 'ready' && ada.file(id).stage === 'ready', 2 * minuteMs);
    }
    expect(isTaking(bob)).toBe(false);
  });
});

describe('a file that does not come', () => {
  it('leaves nothing of itself when its time is over', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    passOnly(150, relay, bob);
    send(ada, bob, seal(ada, 'ends 4', 10_000_000), 60);
    world.runUntil(() => isTaking(bob), minuteMs);
    relay.cutOff = true;
    world.runUntil(() => stages(bob)[0] === 'expired', 5 * minuteMs);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('leaves nothing of itself when it was paused and its time is over', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    passOnly(150, relay, bob);
    send(ada, bob, seal(ada, 'ends 5', 10_000_000), 60);
    world.runUntil(() => isTaking(bob), minuteMs);
    bob.command({ name: 'pause-file', messageId: bob.files()[0]?.messageId ?? '' });
    world.runUntil(() => stages(bob)[0] === 'expired', 70 * minuteMs);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('comes when it is asked for again, also after a restart', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    passOnly(60, relay, bob);
    send(ada, bob, seal(ada, 'ends 8', 2_000_000));
    world.runUntil(() => isTaking(bob), minuteMs);
    const id = bob.files()[0]?.messageId ?? '';
    bob.command({ name: 'cancel-file', messageId: id });
    world.runUntil(() => stages(bob)[0] === 'cancelled', minuteMs);
    world.passes = () => true;
    bob.restart();
    world.run(secondMs);
    expect(bob.command({ name: 'fetch-file', messageId: id })).toMatchObject({ ok: true });
    world.runUntil(() => stages(bob)[0] === 'ready', 5 * minuteMs);
  });

  it('is not sent any more when its message is taken back', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    const id = send(ada, bob, seal(ada, 'ends 6', 200_000));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), minuteMs);
    ada.command({ name: 'cancel', messageId: id });
    world.run(5 * secondMs);
    expect(ada.file(id)).toMatchObject({ stage: 'failed', failure: 'cancelled' });
    expect(relay.heldBlobs.all).toEqual([]);
    const ends = ada.visorCommits.flatMap((request) => (request.op === 'commit' ? request.changes : [])).flatMap((change) => (change.kind === 'put-file' && change.row.stage === 'failed' ? [change.row.heldBy.length] : []));
    expect([...new Set(ends)], 'its end with the relay that is to be told, and that it was told').toEqual([1, 0]);
    expect(ends[0], 'in one commit').toBe(1);
  });

  it('is dropped by a relay that could not be told when it was taken back, nor before a restart', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.cutOff = true;
    const id = send(ada, bob, seal(ada, 'ends 7', 200_000));
    world.runUntil(() => relay.heldBlobs.all.some(({ complete }) => complete), minuteMs);
    relay.cutOff = true;
    ada.command({ name: 'cancel-file', messageId: id });
    world.run(20 * secondMs);
    ada.restart();
    world.run(minuteMs);
    expect(relay.heldBlobs.all).toHaveLength(1);
    expect(ada.file(id).heldBy).toEqual([relay.publicKey]);
    relay.cutOff = false;
    world.runUntil(() => relay.heldBlobs.all.length === 0 && ada.file(id).heldBy.length === 0, 15 * minuteMs);
  });

  it('does not keep back others for which there is somebody to ask', () => {
    const { world, ada, bob } = friends();
    const absent = Array.from({ length: 6 }, (_, index) => seal(ada, `ends 7 ${String(index)}`, 20_000));
    const names = new Set(absent.map(({ root, blobBytes }) => nameKey({ root, length: blobBytes })));
    ada.ownBlobs.failing = (request) => (request.op === 'read-record' && names.has(nameKey(request.name)) ? 'io' : undefined);
    for (const file of absent) send(ada, bob, file);
    send(ada, bob, seal(ada, 'ends 7 last', 20_000));
    world.runUntil(() => stages(bob).at(-1) === 'ready', 2 * minuteMs);
    expect(stages(bob).slice(0, 6)).toEqual(absent.map(() => 'wanted'));
  });
});

describe('a file whose bytes go with two messages', () => {
  it('stays when the one that was paused is cancelled', () => {
    const { world, ada, bob } = friends();
    const file = seal(ada, 'ends 8', 100_000);
    bob.ownBlobs.failing = (request) => (request.op === 'begin' ? 'disk-full' : undefined);
    send(ada, bob, file);
    const second = send(ada, bob, file);
    world.runUntil(() => bob.files().length === 2, minuteMs);
    const [paused] = bob.files();
    bob.command({ name: 'pause-file', messageId: paused?.messageId ?? '' });
    bob.ownBlobs.failing = () => undefined;
    world.runUntil(() => stages(bob)[1] === 'ready' && ada.file(second).stage === 'ready', 5 * minuteMs);
    bob.command({ name: 'cancel-file', messageId: paused?.messageId ?? '' });
    world.run(secondMs);
    expect(stages(bob)).toEqual(['cancelled', 'ready']);
    expect(bob.ownBlobs.bytesOf({ root: file.root, length: file.blobBytes })).toBeDefined();
  });

  it('comes with both, and the relay keeps none', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const file = seal(ada, 'ends 9', 1_000_000);
    send(ada, bob, file);
    send(ada, bob, file);
    world.runUntil(() => stages(bob).join(' ') === 'ready ready' && stages(ada).join(' ') === 'ready ready', 5 * minuteMs);
    world.run(30 * secondMs);
    expect(relay.heldBlobs.all).toEqual([]);
  });
});

describe('a disk that fails', () => {
  it.each([['begin', 0], ['write', 1]] as const)('at %s leaves nothing of a file that is cancelled then', (op, parts) => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    passOnly(150, relay, bob);
    bob.ownBlobs.failing = (request) => (request.op === op ? 'io' : undefined);
    send(ada, bob, seal(ada, `ends 11 ${op}`, 1_000_000));
    world.runUntil(() => { const [file] = bob.files(); return file !== undefined && JSON.stringify(bob.engine.inspect.fileStatus(file)).includes('disk-full'); }, minuteMs);
    expect(bob.ownBlobs.all).toHaveLength(parts);
    bob.command({ name: 'cancel-file', messageId: bob.files()[0]?.messageId ?? '' });
    world.runUntil(() => stages(bob)[0] === 'cancelled', minuteMs);
    world.run(secondMs);
    expect(bob.ownBlobs.all).toEqual([]);
  });

  it('for a while where the file lies does not end it', () => {
    const { world, ada, bob } = friends();
    ada.ownBlobs.failing = (request) => (request.op === 'read-record' ? 'io' : undefined);
    const id = send(ada, bob, seal(ada, 'ends 10', 100_000));
    world.run(minuteMs);
    expect(ada.file(id).stage).toBe('wanted');
    ada.ownBlobs.failing = () => undefined;
    world.runUntil(() => ada.file(id).stage === 'ready', 5 * minuteMs);
  });

  it('by being full makes a file wait, and no longer than its time', () => {
    const { world, ada, bob } = friends();
    bob.ownBlobs.failing = (request) => (request.op === 'begin' ? 'disk-full' : undefined);
    send(ada, bob, seal(ada, 'ends 11', 100_000), 120);
    world.runUntil(() => bob.files().length === 1, minuteMs);
    world.run(10 * secondMs);
    const [row] = bob.files();
    expect(row === undefined ? undefined : bob.engine.inspect.fileStatus(row).state).toMatchObject({ state: 'waiting', reason: 'disk-full' });
    world.runUntil(() => stages(bob)[0] === 'expired', 10 * minuteMs);
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
    // One person's files come a few at a time.
    const many = [ada, ...['dora', 'egon', 'fred', 'gina'].map((name) => {
      const node = world.add(name);
      node.addRelay(relay);
      world.run(2 * secondMs);
      bob.cutOff = false;
      befriend(node, bob);
      bob.cutOff = true;
      return node;
    })];
    for (const node of many) {
      node.ownBlobs.failing = (request) => (request.op === 'read' ? 'io' : undefined);
      for (let index = 0; index < 8; index += 1) node.ask({ name: 'send-file', to: bob.publicKey, port: 1, text: '', ttlSeconds: undefined, file: seal(node, `ends 12 ${node.name} ${String(index)}`, 400_000) });
    }
    world.runUntil(() => relay.heldBlobs.all.length >= 32, minuteMs);
    for (const node of many) node.cutOff = true;
    expect(relay.heldBlobs.all.filter(({ complete }) => !complete).length).toBeGreaterThanOrEqual(20);
    const id = send(carol, bob, seal(carol, 'ends 12 carol', 1_000));
    world.runUntil(() => carol.file(id).heldBy.includes(relay.publicKey), 10 * minuteMs);
  });
});
