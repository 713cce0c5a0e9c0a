/** A few fixed worlds, the proof that a seed replays exactly, and that each invariant is able to fail. */
import { describe, expect, it } from 'vitest';
import { Checker } from './invariants.ts';
import { createToken, fileNameOf, textOf } from './letter-text.ts';
import { SeededRandom } from './random.ts';
import { simulate } from './simulate.ts';
import { invariants, type Invariant } from './violations.ts';
import type { KnownFetch } from './invariants-names.ts';
import { toHex } from '../src/main/engine/wire/bytes.ts';
import { sealSegment } from '../src/main/engine/files/file-sealing.ts';
import { chooseCrypto } from '../src/main/host/crypto.ts';
import type { NamedFetchStatus } from '../src/main/engine/inspection-types.ts';
import type { FileRow, MessageRow, OutboxRow, PublishedRow, StoredMessage } from '../src/main/engine/mail/visor-store.ts';

/** Generous: a busy machine is no reason to fail. */
const worldTimeoutMs = 180_000;

describe('the simulated world', () => {
  it.each([1, 2, 3])('holds all invariants in seed %i', (seed) => {
    const result = simulate(seed);
    expect(result.violations).toEqual([]);
    expect(result.letters.delivered).toBeGreaterThan(0);
  }, worldTimeoutMs);

  it('replays a seed exactly', () => {
    const first = simulate(5);
    const second = simulate(5);
    expect(second.traceHash).toBe(first.traceHash);
    expect(second).toEqual(first);
    expect(simulate(6).traceHash).not.toBe(first.traceHash);
  }, worldTimeoutMs);
});

const id = 'aa'.repeat(16);
const relay = '02'.repeat(33);
const token = createToken(1, new SeededRandom('test'));
const realKey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const hourMs = 3_600_000;
const { crypto } = chooseCrypto();
const annaKey = '04'.repeat(33);
const benKey = '03'.repeat(33);
const content = new Uint8Array(200).fill(5);
const fileKey = new Uint8Array(32).fill(9);
const blob = sealSegment(crypto, fileKey, content.length, 0, content);

function message(change: Partial<MessageRow> = {}): MessageRow {
  return {
    id, conversationId: `${'03'.repeat(33)}:1`, direction: 'out', text: textOf(token, 200), sentAtMs: 0, receivedAtMs: undefined, expiresAtMs: hourMs,
    senderDevice: 'device', sequence: 1, facts: {}, ...change,
  };
}

const stored = (sequence: number, change: Partial<StoredMessage> = {}): StoredMessage =>
  ({ ...message({ direction: 'in', sequence, text: `text ${String(sequence)}` }), row: sequence, missingBefore: 0, file: undefined, ...change });

interface Stage { readonly checker: Checker; at(ms: number): void }

/** Anna has asked for one letter to Ben, an hour long, and her disk holds it. */
function stage(): Stage {
  let nowMs = 0;
  const checker = new Checker(() => nowMs, { wallErrorMs: () => 0, wallJumpsMs: () => 0, wallMs: () => nowMs });
  checker.letters.asked({ token, sender: 'anna', recipient: 'ben', ttlMs: hourMs });
  checker.letters.messageCommitted('anna', message(), true);
  checker.files.asked({
    token, sender: 'anna', senderKey: annaKey, recipient: 'ben', recipientKey: benKey, ttlMs: hourMs, content, key: fileKey, root: crypto.blake3(blob), blobBytes: blob.length,
  });
  return { checker, at: (ms) => { nowMs = ms; } };
}

const arrive = ({ checker }: Stage, change: Partial<MessageRow> = {}): void => { checker.letters.messageCommitted('ben', message({ direction: 'in', ...change }), change.id === undefined); };
const fileStanding = () => ({ mutual: true, blocked: false, confirmationsMayBeLost: false });
const standing = { mutual: true, confirmationsMayBeLost: false };

/** For each invariant a history that breaks it, and one that comes close without breaking it. */
const histories: Readonly<Record<Invariant, { readonly breaks: (stage: Stage) => void; readonly keeps: (stage: Stage) => void }>> = {
  'acknowledged-means-durable': {
    breaks: ({ checker }) => { checker.letters.asked({ token: createToken(2, new SeededRandom('other')), sender: 'anna', recipient: 'ben', ttlMs: 1 }); checker.letters.answered(createToken(2, new SeededRandom('other')), id); },
    keeps: ({ checker }) => { checker.letters.answered(token, id); },
  },
  'no-acknowledged-letter-lost': {
    breaks: ({ checker }) => { checker.finish(() => standing); },
    keeps: ({ checker }) => { checker.letters.factsCommitted('anna', id, { cancelledAtMs: 1 }); checker.finish(() => standing); },
  },
  'shown-at-most-once': {
    breaks: (world) => { arrive(world); arrive(world, { id: 'bb'.repeat(16) }); },
    keeps: (world) => { arrive(world); world.checker.conversation('ben', [stored(1), stored(2)]); },
  },
  'headline-never-goes-backwards': {
    breaks: (world) => {
      arrive(world);
      world.checker.letters.headline('anna', id, { state: 'delivered', atMs: 1 });
      world.checker.letters.headline('anna', id, { state: 'stored', heldBy: [], wanted: 1 });
    },
    keeps: ({ checker }) => {
      checker.letters.headline('anna', id, { state: 'stored', heldBy: [], wanted: 1 });
      checker.letters.headline('anna', id, { state: 'queued', reason: 'held-copy-lost' });
    },
  },
  'delivered-means-committed': {
    breaks: ({ checker }) => { checker.letters.headline('anna', id, { state: 'delivered', atMs: 1 }); },
    keeps: (world) => { arrive(world); world.checker.letters.headline('anna', id, { state: 'delivered', atMs: 1 }); },
  },
  'stored-means-committed': {
    breaks: ({ checker }) => { checker.letters.headline('anna', id, { state: 'stored', heldBy: [{ relay, relayName: '', untilMs: 1 }], wanted: 1 }); },
    keeps: ({ checker }) => {
      const letterId = new Uint8Array(32).fill(7);
      checker.letters.outboxCommitted('anna', outboxRow(letterId));
      checker.letters.relayCommitted(relay, '07'.repeat(32));
      checker.letters.headline('anna', id, { state: 'stored', heldBy: [{ relay, relayName: '', untilMs: 1 }], wanted: 1 });
    },
  },
  'facts-agree': {
    breaks: (world) => { arrive(world); world.checker.finish(() => standing); },
    keeps: (world) => { arrive(world); world.checker.letters.factsCommitted('anna', id, { deliveredAtMs: 1 }); world.checker.finish(() => standing); },
  },
  'contacts-agree': {
    breaks: ({ checker }) => { checker.violations.report('contacts-agree', 'they are not'); },
    keeps: () => undefined,
  },
  'ttl-honoured': {
    breaks: (world) => { world.at(2 * hourMs); arrive(world); },
    keeps: (world) => { world.at(hourMs + 1_000); arrive(world); world.checker.letters.factsCommitted('anna', id, { expiredAtMs: 1 }); },
  },
  'hops-in-order': {
    breaks: ({ checker }) => { checker.letters.hopCommitted('anna', id, { kind: 'saved', atMs: 5 }); checker.letters.hopCommitted('anna', id, { kind: 'sealed', atMs: 4 }); },
    keeps: ({ checker }) => { checker.letters.hopCommitted('anna', id, { kind: 'saved', atMs: 5 }); checker.letters.hopCommitted('anna', id, { kind: 'sealed', atMs: 5 }); },
  },
  'shown-in-order': {
    breaks: ({ checker }) => { checker.conversation('ben', [stored(2, { missingBefore: 1 }), stored(1)]); },
    keeps: ({ checker }) => { checker.conversation('ben', [stored(1), stored(4, { missingBefore: 2 })]); },
  },
  'blocked-is-not-shown': {
    breaks: (world) => { world.checker.letters.blockAnswered('ben', 'anna'); arrive(world); },
    keeps: (world) => { world.checker.letters.blockAnswered('ben', 'anna'); world.checker.letters.unblockAsked('ben', 'anna'); arrive(world); },
  },
  'within-quota': {
    breaks: ({ checker }) => { checker.mailbox({ relay: 'relay', mailbox: 'ben', letters: 11, bytes: 1, most: { letters: 10, bytes: 100 } }); },
    keeps: ({ checker }) => { checker.mailbox({ relay: 'relay', mailbox: 'ben', letters: 10, bytes: 100, most: { letters: 10, bytes: 100 } }); },
  },
  'retry-is-scheduled': {
    breaks: (world) => { world.checker.letters.outboxSeen('anna', [{ id, planned: false }]); world.at(hourMs); world.checker.letters.outboxSeen('anna', [{ id, planned: false }]); },
    keeps: (world) => {
      world.checker.letters.outboxSeen('anna', [{ id, planned: false }]);
      world.at(60_000);
      world.checker.letters.outboxSeen('anna', [{ id, planned: true }]);
      world.at(hourMs);
      world.checker.letters.outboxSeen('anna', [{ id, planned: false }]);
    },
  },
  'file-was-sent': {
    breaks: ({ checker }) => { checker.files.rowCommitted('eve', fileRow(), () => blob, crypto); },
    keeps: ({ checker }) => { checker.files.rowCommitted('ben', fileRow(), () => blob, crypto); },
  },
  'file-is-whole': {
    breaks: ({ checker }) => { checker.files.rowCommitted('ben', fileRow({ stage: 'ready' }), () => blob.subarray(1), crypto); },
    keeps: (world) => { fileArrives(world); world.checker.files.finish(fileStanding, () => () => blob, crypto); },
  },
  'one-file-per-message': {
    breaks: (world) => { fileArrives(world); world.checker.files.rowCommitted('ben', fileRow({ stage: 'ready', messageId: 'bb'.repeat(16) }), () => blob, crypto); },
    keeps: (world) => { fileArrives(world); fileArrives(world); },
  },
  'file-ends-once': {
    breaks: ({ checker }) => { checker.files.rowCommitted('ben', fileRow({ stage: 'failed', failure: 'cancelled' }), () => blob, crypto); },
    keeps: (world) => {
      world.checker.files.rowCommitted('ben', fileRow(), () => blob, crypto);
      world.checker.files.cancelAsked('ben', id);
      world.checker.files.rowCommitted('ben', fileRow({ stage: 'failed', failure: 'cancelled' }), () => blob, crypto);
      world.at(2 * hourMs);
      world.checker.files.rowCommitted('anna', fileRow({ direction: 'out', conversationId: `${benKey}:1`, stage: 'failed', failure: 'expired' }), () => blob, crypto);
    },
  },
  'ready-means-there': {
    breaks: ({ checker }) => { checker.files.rowCommitted('anna', outgoing({ heldBy: [relay] }), () => blob, crypto); },
    keeps: (world) => {
      world.checker.files.relayCompleted(relay, { root: crypto.blake3(blob), length: blob.length });
      world.checker.files.rowCommitted('anna', outgoing({ heldBy: [relay] }), () => blob, crypto);
      fileArrives(world);
      world.checker.files.rowCommitted('anna', outgoing({ stage: 'ready' }), () => blob, crypto);
    },
  },
  'file-arrives': {
    breaks: (world) => { fileArrives(world); world.checker.files.rowCommitted('anna', outgoing(), () => blob, crypto); world.checker.files.finish(fileStanding, () => () => blob, crypto); },
    keeps: ({ checker }) => {
      checker.files.rowCommitted('anna', outgoing(), () => blob, crypto);
      checker.files.rowCommitted('ben', fileRow({ stage: 'paused' }), () => blob, crypto);
      checker.files.finish(fileStanding, () => () => blob, crypto);
    },
  },
  'held-is-waited-for': {
    breaks: (world) => {
      fileArrives(world);
      world.checker.files.rowCommitted('anna', outgoing({ stage: 'ready' }), () => blob, crypto);
      world.checker.files.heldAtEnd('relay', { root: crypto.blake3(blob), length: blob.length }, () => true);
    },
    keeps: ({ checker }) => {
      checker.files.rowCommitted('anna', outgoing(), () => blob, crypto);
      checker.files.heldAtEnd('relay', { root: crypto.blake3(blob), length: blob.length }, () => true);
    },
  },
  'rests-are-removed': {
    breaks: ({ checker }) => { checker.files.ownAtEnd('ben', { root: crypto.blake3(blob), length: blob.length }, false); },
    keeps: ({ checker }) => {
      checker.files.rowCommitted('ben', fileRow({ stage: 'paused' }), () => blob, crypto);
      checker.files.ownAtEnd('ben', { root: crypto.blake3(blob), length: blob.length }, false);
    },
  },
  'published-means-durable': {
    breaks: (world) => { publishes(world); world.checker.names.answered('anna', annaKey, 'a', publicName); },
    keeps: (world) => { publishes(world); world.checker.names.rowCommitted('anna', publishedRow()); world.checker.names.answered('anna', annaKey, 'a', publicName); },
  },
  'fetched-was-published': {
    breaks: (world) => { publishes(world); world.checker.names.shown(asksFor(world), fetchStatus({ state: { state: 'waiting', reason: 'no-source', doneBytes: 0 } }), () => undefined); },
    keeps: (world) => { isPublished(world); world.checker.names.shown(asksFor(world), fetchStatus({ state: { state: 'waiting', reason: 'no-source', doneBytes: 0 } }), () => undefined); },
  },
  'fetched-is-whole': {
    breaks: (world) => { isPublished(world); world.checker.names.shown(asksFor(world), fetchStatus(), () => content.subarray(1)); },
    keeps: (world) => { isPublished(world); world.checker.names.shown(asksFor(world), fetchStatus(), () => content); },
  },
  'name-never-goes-back': {
    breaks: (world) => {
      isPublished(world);
      world.checker.names.rowCommitted('anna', publishedRow({ sequence: 6 }));
      world.checker.names.shown(asksFor(world), fetchStatus({ found: { content: publicName, mediaType: '', sequence: 6 } }), () => content);
      world.checker.names.shown(asksFor(world), fetchStatus(), () => content);
    },
    keeps: (world) => {
      isPublished(world);
      world.checker.names.rowCommitted('anna', publishedRow({ sequence: 6 }));
      world.checker.names.shown(asksFor(world), fetchStatus({ found: { content: publicName, mediaType: '', sequence: 6 } }), () => content);
      // Another engine has seen nothing yet.
      world.checker.names.shown(asksFor(world, 2), fetchStatus(), () => content);
    },
  },
  'name-arrives': {
    breaks: (world) => { isPublished(world); world.checker.names.publishedShown('anna', { row: publishedRow(), content: publicName, file: { state: { state: 'failed', reason: 'gone' }, holders: [] } }); },
    keeps: (world) => {
      isPublished(world);
      world.checker.names.relayCompleted(relay, publicName);
      world.checker.names.publishedShown('anna', { row: publishedRow(), content: publicName, file: { state: { state: 'ready' }, holders: [{ relay, heldBytes: publicName.length, complete: true }] } });
    },
  },
  'fetch-fails-honestly': {
    breaks: (world) => { isPublished(world); world.checker.names.shown(asksFor(world), failedStatus('withdrawn'), () => undefined); },
    keeps: (world) => {
      isPublished(world);
      world.checker.names.shown(asksFor(world), failedStatus('unknown'), () => undefined);
      world.checker.names.asked('anna', annaKey, 'a', undefined);
      world.checker.names.rowCommitted('anna', publishedRow({ sequence: 6, content: undefined }));
      world.checker.names.shown(asksFor(world), failedStatus('withdrawn'), () => undefined);
    },
  },
  'fetch-ends': {
    breaks: (world) => { isPublished(world); asksFor(world); world.checker.names.calm(); world.at(hourMs); world.checker.names.finish(); },
    keeps: (world) => {
      isPublished(world);
      const fetch = asksFor(world);
      world.checker.names.calm();
      world.at(60_000);
      world.checker.names.fetchEnded(fetch);
      asksFor(world);
      world.checker.names.finish();
    },
  },
  'names-are-bounded': {
    breaks: ({ checker }) => { checker.names.heldLook('relay', 101, 100); },
    keeps: ({ checker }) => { checker.names.heldLook('relay', 100, 100); checker.names.keptCommitted('ben', '[]'); },
  },
  'names-leave-no-rests': {
    breaks: (world) => { isPublished(world); world.checker.names.ownAtEnd('ben', publicName, true); },
    keeps: (world) => {
      isPublished(world);
      world.checker.names.ownAtEnd('anna', publicName, true);
      world.checker.names.keptCommitted('ben', JSON.stringify([[toHex(publicName.root), publicName.length, 1]]));
      world.checker.names.ownAtEnd('ben', publicName, false);
    },
  },
  'honest-relay-is-believed': {
    breaks: ({ checker }) => { checker.relayTestsCommitted('anna', JSON.stringify([[realKey, [[5, 0, 12], [6, 1, 0]]]])); },
    keeps: ({ checker }) => {
      checker.relayTestsCommitted('anna', JSON.stringify([[realKey, [[5, 0, 12], [6, 4, 0], [7, 5, 0]]]]));
      checker.relayForgot(realKey);
      checker.relayTestsCommitted('anna', JSON.stringify([[realKey, [[8, 1, 0]]]]));
    },
  },
  'no-plaintext': {
    breaks: ({ checker }) => { checker.datagram('anna', 'relay', Buffer.from(`xx${token}`)); },
    keeps: ({ checker }) => { checker.datagram('anna', 'relay', new Uint8Array(500)); checker.relayBytes('relay', new Uint8Array(0)); },
  },
  'datagram-size': {
    breaks: ({ checker }) => { checker.datagram('anna', 'relay', new Uint8Array(1_201)); },
    keeps: ({ checker }) => { checker.datagram('anna', 'relay', new Uint8Array(1_200)); },
  },
  'engine-never-throws': {
    breaks: ({ checker }) => { checker.threw('anna', 'handleDatagram', new RangeError('out of range')); },
    keeps: () => undefined,
  },
  'store-accepts-all': {
    breaks: ({ checker }) => { checker.refused('anna', 'commit put-message', 'not an integer'); },
    keeps: () => undefined,
  },
  'timer-does-not-spin': {
    breaks: ({ checker }) => { checker.spins('anna', 'the same timer again'); },
    keeps: () => undefined,
  },
};

function fileRow(change: Partial<FileRow> = {}): FileRow {
  return {
    messageId: id, conversationId: `${annaKey}:1`, direction: 'in', name: fileNameOf(token), mediaType: '', key: fileKey, sizeBytes: content.length, root: crypto.blake3(blob), blobBytes: blob.length,
    stage: 'wanted', failure: undefined, heldBy: [], expiresAtMs: hourMs, ...change,
  };
}
const outgoing = (change: Partial<FileRow> = {}): FileRow => fileRow({ direction: 'out', conversationId: `${benKey}:1`, ...change });
const fileArrives = ({ checker }: Stage): void => { checker.files.rowCommitted('ben', fileRow({ stage: 'ready' }), () => blob, crypto); };

const publicName = { root: crypto.blake3(content), length: content.length };
const publishedRow = (change: Partial<PublishedRow> = {}): PublishedRow => ({ path: 'a', content: publicName, mediaType: '', sequence: 5, notAfterSeconds: 1_000, publishedAtMs: 0, ...change });
function publishes({ checker }: Stage): void {
  checker.names.copied('anna', publicName, content);
  checker.names.asked('anna', annaKey, 'a', publicName);
}
function isPublished(world: Stage): void {
  publishes(world);
  world.checker.names.rowCommitted('anna', publishedRow());
}
const asksFor = ({ checker }: Stage, run = 1): KnownFetch => checker.names.fetchAsked({ reader: 'ben', run, publisherKey: annaKey, path: 'a' });
const fetchStatus = (change: Partial<NamedFetchStatus> = {}): NamedFetchStatus => ({ found: { content: publicName, mediaType: '', sequence: 5 }, state: { state: 'ready' }, failure: undefined, ...change });
const failedStatus = (failure: NamedFetchStatus['failure']): NamedFetchStatus => ({ found: undefined, state: { state: 'failed', reason: 'gone' }, failure });

function outboxRow(letterId: Uint8Array): OutboxRow {
  const bytes = new Uint8Array(32);
  return {
    id, recipient: relay, destinationPort: 1, sourcePort: 1, kind: 'message', content: bytes, sequence: 1, queuedAtMs: 0, expiresAtMs: hourMs, ttlSeconds: 3_600, attempts: 0,
    lastReason: undefined, facts: {}, stage: 'await',
    sealed: { letterId, header: bytes, body: bytes, bodyRoot: bytes, purgeHash: bytes, purgeKey: bytes, deviceId: '', bundleCreatedSeconds: 0, sealedAtMs: 0 },
  };
}

describe('the checker', () => {
  it.each(invariants)('reports a history that breaks %s', (invariant) => {
    const world = stage();
    histories[invariant].breaks(world);
    expect(world.checker.violations.all.map((violation) => violation.invariant)).toEqual([invariant]);
  });

  it.each(invariants)('lets a history pass that keeps %s', (invariant) => {
    const world = stage();
    histories[invariant].keeps(world);
    expect(world.checker.violations.all).toEqual([]);
  });

  it('finds a letter called expired too early, a letter shown by the wrong person, and a repeated one on screen', () => {
    const world = stage();
    world.checker.letters.factsCommitted('anna', id, { expiredAtMs: 1 });
    world.checker.letters.messageCommitted('eve', message({ direction: 'in' }), true);
    world.checker.conversation('ben', [stored(1), stored(2, { text: 'text 1' })]);
    expect(world.checker.violations.all.map((violation) => violation.invariant)).toEqual(['ttl-honoured', 'shown-at-most-once', 'shown-at-most-once']);
  });
});
