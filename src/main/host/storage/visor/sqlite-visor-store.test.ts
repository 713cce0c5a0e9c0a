import { join } from 'node:path';
import type Database from 'better-sqlite3';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { WaypostError } from '../../../../shared/errors.ts';
import type { ContactRow, ConversationRow, DeviceRow, FileRow, InviteRow, LetterFacts, MessageRow, OutboxRow, PeerKeyRow, PrekeyRow, PublishedRow, RelayRow, VisorChange } from '../../../engine/mail/visor-store.ts';
import { memoryPath, openDatabase } from '../database.ts';
import { createFieldCipher } from '../field-cipher.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { visorMigrations } from './migrations/index.ts';
import { SqliteVisorStore } from './sqlite-visor-store.ts';

const bytes = (value: number, sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(value);
const conversationId = `${'02'.repeat(33)}:1`;
const allFacts: LetterFacts = {
  sendingSinceMs: 1, held: [{ relay: 'r', sinceMs: 2, untilMs: 3, lostAtMs: 4 }, { relay: 's', sinceMs: 2, untilMs: 3 }], fetchedAtMs: 5, deliveredAtMs: 6, readAtMs: 7,
  expiredAtMs: 8, unconfirmedAtMs: 9, cancelledAtMs: 10, failed: { reason: 'blocked', atMs: 11 },
};
const message = (id: string, sequence: number, changes: Partial<MessageRow> = {}): MessageRow => ({
  id, conversationId, direction: 'in', text: `text of ${id}`, sentAtMs: 10, receivedAtMs: 20, expiresAtMs: 30, senderDevice: 'theirs', sequence, facts: {}, ...changes,
});
const outboxRow: OutboxRow = {
  id: 'o1', recipient: 'pk', destinationPort: 1, sourcePort: 2, kind: 'message', content: bytes(1, 50), sequence: 3, queuedAtMs: 4, expiresAtMs: 5, ttlSeconds: 6, attempts: 7,
  lastReason: 'no-network', facts: allFacts, stage: 'await',
  sealed: { letterId: bytes(2, 32), header: bytes(3, 453), body: bytes(4, 272), bodyRoot: bytes(5, 32), purgeHash: bytes(6, 32), purgeKey: bytes(7, 32), deviceId: 'd', bundleCreatedSeconds: 8, sealedAtMs: 9 },
};
const contact: ContactRow = {
  publicKey: 'pk', name: 'Ada', standing: 'pending', grantedToken: bytes(1, 16), depositToken: undefined, relays: [{ publicKey: 'r', host: 'h', port: 1 }],
  identityRecord: bytes(2, 300), prekeyBundle: undefined, recordsFetchedAtMs: 1, introducedCard: 'card', addedAtMs: 2,
};
const conversation: ConversationRow = { id: conversationId, publicKey: 'pk', port: 1, nextSequence: 4, readUpToRow: 0, draft: 'half a thought', lastActivityMs: 9 };
const relay: RelayRow = { publicKey: 'r', host: 'h', port: 1, role: 'own', epoch: bytes(1, 8), cursor: 9, addedAtMs: 1, leavingSinceMs: undefined, choice: 'normal', rank: undefined };
const invite: InviteRow = { token: bytes(1, 16), createdAtMs: 1, revoked: true };
const prekey: PrekeyRow = { prekeyId: 4_000_000_000, secretKey: bytes(1, 32), bundle: bytes(2, 158), createdAtMs: 1, supersededAtMs: undefined };
const device: DeviceRow = { deviceId: 'd', x25519Secret: bytes(0xa1, 32), ed25519Seed: bytes(0xa2, 32), certificate: bytes(0xa3, 194), resetSecret: bytes(0xa4, 32) };
const peerKey: PeerKeyRow = { publicKey: 'pk', x25519: bytes(1, 32) };
const dayMs = 86_400_000;
const nowMs = 1_000 * dayMs;
const file: FileRow = {
  messageId: 'm', conversationId, direction: 'in', name: 'holiday plans.png', mediaType: 'image/png', key: bytes(0xb1, 32), sizeBytes: 64 * 2 ** 30, root: bytes(0xb2, 32),
  blobBytes: 64 * 2 ** 30 + 16, stage: 'offered', failure: undefined, heldBy: ['r', 's'], expiresAtMs: nowMs + dayMs,
};

describe('the visor store', () => {
  let database: Database.Database;
  let store: SqliteVisorStore;
  const cipher = createFieldCipher(bytes(9, 32));
  const commit = (...changes: readonly VisorChange[]) => store.apply<'commit'>({ op: 'commit', changes });
  const put = (...rows: readonly MessageRow[]) => commit(...rows.map((row) => ({ kind: 'put-message', row }) as const));
  const load = () => store.apply<'load'>({ op: 'load' });
  const page = (limit = 100, beforeRow?: number) => store.query<'page'>({ query: 'page', conversationId, beforeRow, limit });
  const shown = () => page().messages.map((row) => row.id).join(' ');

  beforeEach(() => {
    ({ database } = openDatabase({ path: memoryPath, migrations: visorMigrations, wallMs: () => 0 }));
    store = new SqliteVisorStore(database, cipher, () => nowMs);
  });

  describe('rows', () => {
    it('are empty at first', () => {
      expect(load()).toEqual({ device: undefined, contacts: [], conversations: [], outbox: [], files: [], published: [], relays: [], invites: [], prekeys: [], peerKeys: [], values: new Map() });
    });
    it('come back as they were put', () => {
      commit(
        { kind: 'put-outbox', row: outboxRow }, { kind: 'put-outbox', row: { ...outboxRow, id: 'o2', queuedAtMs: 5, sealed: undefined, lastReason: undefined, facts: {} } },
        { kind: 'put-file', row: file },
        { kind: 'put-contact', row: contact }, { kind: 'put-conversation', row: conversation }, { kind: 'put-relay', row: relay },
        { kind: 'put-relay', row: { ...relay, publicKey: 's', epoch: undefined, choice: 'banned', rank: 3 } }, { kind: 'put-invite', row: invite }, { kind: 'put-prekey', row: prekey },
        { kind: 'put-device', row: device }, { kind: 'put-peer-key', row: peerKey }, { kind: 'put-value', key: 'name', value: 'Ada' },
      );
      expect(load()).toEqual({
        device, contacts: [contact], conversations: [conversation], outbox: [outboxRow, { ...outboxRow, id: 'o2', queuedAtMs: 5, sealed: undefined, lastReason: undefined, facts: {} }],
        files: [file], published: [], relays: [relay, { ...relay, publicKey: 's', epoch: undefined, choice: 'banned', rank: 3 }], invites: [invite], prekeys: [prekey], peerKeys: [peerKey], values: new Map([['name', 'Ada']]),
      });
    });
    it('are replaced by a later put and removed by a delete', () => {
      commit({ kind: 'put-outbox', row: outboxRow }, { kind: 'put-relay', row: relay }, { kind: 'put-device', row: device }, { kind: 'put-value', key: 'a', value: '1' });
      commit({ kind: 'delete-outbox', id: 'o1' }, { kind: 'delete-relay', publicKey: 'r' }, { kind: 'put-device', row: { ...device, deviceId: 'e' } }, { kind: 'put-value', key: 'a', value: '2' });
      expect(load()).toMatchObject({ outbox: [], relays: [], device: { deviceId: 'e' }, values: new Map([['a', '2']]) });
    });
    it('of relays from before anything was said about them are neither pinned nor banned, and in no place', () => {
      const path = join(temporaryDirectory(), 'visor.db');
      const older = openDatabase({ path, migrations: visorMigrations.filter(({ version }) => version < 6), wallMs: () => 0 }).database;
      older.exec(`INSERT INTO relay (public_key, host, port, role, epoch, cursor, added_at_ms, leaving_since_ms) VALUES ('r', 'h', 1, 'own', x'0101010101010101', 9, 1, NULL)`);
      older.close();
      const { database: newer } = openDatabase({ path, migrations: visorMigrations, wallMs: () => 0 });
      expect(new SqliteVisorStore(newer, cipher, () => nowMs).apply<'load'>({ op: 'load' }).relays).toEqual([relay]);
      newer.close();
    });
    it('show no sealed column in the file', () => {
      const secret = 'a very private sentence';
      put(message('m', 1, { text: secret }));
      commit({ kind: 'put-outbox', row: { ...outboxRow, content: Buffer.from(secret) } }, { kind: 'put-conversation', row: { ...conversation, draft: secret } }, { kind: 'put-device', row: device });
      const image = database.serialize();
      expect(image.includes(secret)).toBe(false);
      expect(image.includes(Buffer.from(device.x25519Secret))).toBe(false);
      expect(image.includes(Buffer.from(device.resetSecret))).toBe(false);
      expect(image.includes(Buffer.from(device.certificate))).toBe(true);
    });
  });

  describe('files', () => {
    const stages = ['offered', 'wanted', 'paused', 'ready', 'failed'] as const;
    const ids = (rows: readonly FileRow[]): string => rows.map((row) => row.messageId).join(' ');
    it('are replaced by a later put', () => {
      const failed: FileRow = { ...file, stage: 'failed', failure: 'damaged', heldBy: [] };
      commit({ kind: 'put-file', row: file }, { kind: 'put-file', row: { ...file, stage: 'paused' } });
      expect(load().files).toEqual([{ ...file, stage: 'paused' }]);
      put(message('m', 1));
      commit({ kind: 'put-file', row: failed });
      expect(store.query<'message'>({ query: 'message', messageId: 'm' }).message?.file).toEqual(failed);
    });
    it('are loaded while they are to be moved, while somebody may fetch them or ask for them again, and while a relay is to be told', () => {
      for (const direction of ['in', 'out'] as const) {
        for (const stage of stages) {
          for (const [age, expiresAtMs] of [['young', nowMs + 1], ['late', nowMs - dayMs + 1], ['old', nowMs - dayMs]] as const) {
            commit({ kind: 'put-file', row: { ...file, messageId: `${direction}-${stage}-${age}`, direction, stage, failure: stage === 'failed' ? 'expired' : undefined, expiresAtMs, heldBy: [], ...(direction === 'out' ? { copy: 'gone' } : {}) } });
          }
        }
      }
      const open = (direction: string): string[] => ['offered', 'paused', 'wanted'].flatMap((stage) => ['late', 'old', 'young'].map((age) => `${direction}-${stage}-${age}`));
      expect(ids(load().files)).toBe([...open('in'), ...open('out'), 'out-ready-late', 'out-ready-young'].sort().join(' '));
      commit({ kind: 'put-file', row: { ...file, messageId: 'in-ready-held', direction: 'in', stage: 'ready', expiresAtMs: 0, heldBy: ['relay'] } });
      expect(ids(load().files)).toContain('in-ready-held');
      for (const failure of ['cancelled', 'expired', 'taken-back'] as const) commit({ kind: 'put-file', row: { ...file, messageId: `in-${failure}`, direction: 'in', stage: 'failed', failure, expiresAtMs: 0, heldBy: [] } });
      expect(ids(load().files)).toContain('in-cancelled');
      expect(ids(load().files)).not.toContain('in-expired');
      expect(ids(load().files)).not.toContain('in-taken-back');
    });
    it('are loaded as long as a copy of them may be freed, in the order of their messages', () => {
      put(message('m3', 1), message('m1', 2), message('m2', 3));
      const sent: FileRow = { ...file, direction: 'out', stage: 'ready', expiresAtMs: 0, heldBy: [] };
      commit(...(['m1', 'm2', 'm3'] as const).map((messageId) => ({ kind: 'put-file', row: { ...sent, messageId } }) as const));
      expect(ids(load().files)).toBe('m3 m1 m2');
      commit({ kind: 'put-file', row: { ...sent, messageId: 'm1', copy: 'freeing' } }, { kind: 'put-file', row: { ...sent, messageId: 'm2', copy: 'gone' } });
      expect(load().files.map(({ messageId, copy }) => [messageId, copy])).toEqual([['m3', undefined], ['m1', 'freeing']]);
    });
    it('are known as received by their bytes, when all of those are here', () => {
      const received = (row: FileRow): boolean => {
        commit({ kind: 'put-file', row });
        return store.apply<'received'>({ op: 'received', root: file.root, length: file.blobBytes }).received;
      };
      expect([received({ ...file, stage: 'wanted' }), received({ ...file, direction: 'out', stage: 'ready' }), received({ ...file, stage: 'ready', blobBytes: 16 }), received({ ...file, stage: 'ready' })]).toEqual([false, false, false, true]);
    });
    it('come with their message in every query, and others without', () => {
      put(message('a', 1), message('m', 2));
      commit({ kind: 'put-file', row: file }, { kind: 'put-conversation', row: conversation });
      expect(page().messages.map((row) => row.file)).toEqual([undefined, file]);
      expect(store.query<'inbox'>({ query: 'inbox', afterRow: 0, limit: 9 }).messages.map((row) => row.file)).toEqual([undefined, file]);
      expect(store.query<'message'>({ query: 'message', messageId: 'm' }).message?.file).toEqual(file);
      expect(store.query<'message'>({ query: 'message', messageId: 'a' }).message?.file).toBeUndefined();
      expect(store.query<'summaries'>({ query: 'summaries' }).summaries[0]?.last?.file).toEqual(file);
    });
    it('have no name, kind or key in the clear', () => {
      commit({ kind: 'put-file', row: file });
      const image = database.serialize();
      expect([image.includes(file.name), image.includes(file.mediaType), image.includes(Buffer.from(file.key)), image.includes(Buffer.from(file.root))]).toEqual([false, false, false, true]);
    });
    it('can be read whatever time the sender claims', () => {
      commit({ kind: 'put-file', row: { ...file, expiresAtMs: Number.MAX_SAFE_INTEGER + 2_592_000_000 } });
      expect(load().files[0]?.expiresAtMs).toBe(8.64e15);
    });
  });

  describe('damage', () => {
    const failure = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return error instanceof WaypostError ? error.code : error;
      }
    };
    it('is reported as such, never as an empty profile', () => {
      commit({ kind: 'put-device', row: device });
      const other = new SqliteVisorStore(database, createFieldCipher(bytes(1, 32)), () => nowMs);
      expect(failure(() => other.apply<'load'>({ op: 'load' }))).toBe('database-corrupt');
      expect(load().device).toEqual(device);
    });
    it.each([
      `UPDATE outbox SET facts = '{'`, `UPDATE outbox SET facts = '{"held":7}'`, `UPDATE outbox SET stage = 'lost'`, `UPDATE outbox SET content_sealed = x'00'`,
      `UPDATE outbox SET letter_purge_key_sealed = NULL`, `UPDATE outbox SET last_reason = 'mood'`, `UPDATE outbox SET sequence = 9223372036854775807`,
      `UPDATE relay SET choice = 'mood'`, `UPDATE contact SET relays = '[1]'`, `UPDATE contact SET standing = 'friend'`,
      `UPDATE file SET stage = 'lost'`, `UPDATE file SET failure = 'mood'`, `UPDATE file SET held_by = '{}'`, `UPDATE file SET root = x'00'`, `UPDATE file SET direction = 'up'`,
      `UPDATE file SET key_sealed = x'00'`, `UPDATE file SET name_sealed = x''`, `UPDATE file SET size_bytes = 9223372036854775807`,
    ])('is a typed failure: %s', (sql) => {
      commit({ kind: 'put-outbox', row: outboxRow }, { kind: 'put-contact', row: contact }, { kind: 'put-file', row: file }, { kind: 'put-relay', row: relay });
      database.exec(sql);
      expect(failure(load)).toBe('database-corrupt');
    });
  });

  describe('commits', () => {
    it('apply once per sender and message id', () => {
      const unlessSeen = { sender: 'pk', messageId: 'm1', prekeyId: 1 };
      const apply = (key: string, sender = 'pk') => store.apply<'commit'>({ op: 'commit', changes: [{ kind: 'put-value', key, value: '' }], unlessSeen: { ...unlessSeen, sender } }).applied;
      expect([apply('a'), apply('b'), apply('c', 'other')]).toEqual([true, false, true]);
      expect([...load().values.keys()]).toEqual(['a', 'c']);
    });
    it('forget what was seen only with its prekey', () => {
      const apply = (prekeyId: number, messageId: string) => store.apply<'commit'>({ op: 'commit', changes: [], unlessSeen: { sender: 'pk', messageId, prekeyId } }).applied;
      commit({ kind: 'put-prekey', row: { ...prekey, prekeyId: 1 } }, { kind: 'put-prekey', row: { ...prekey, prekeyId: 2 } });
      apply(1, 'm1');
      apply(2, 'm2');
      commit({ kind: 'delete-prekey', prekeyId: 1 });
      expect(load().prekeys.map((row) => row.prekeyId)).toEqual([2]);
      expect([apply(3, 'm1'), apply(3, 'm2')]).toEqual([true, false]);
    });
    it('know the facts of a message, and of an unknown one none', () => {
      put(message('m', 1, { direction: 'out', facts: { sendingSinceMs: 1 } }));
      commit({ kind: 'set-facts', messageId: 'm', facts: allFacts }, { kind: 'set-facts', messageId: 'nobody', facts: allFacts });
      expect(store.apply<'facts'>({ op: 'facts', messageId: 'm' })).toEqual({ facts: allFacts, conversationId, direction: 'out' });
      expect(store.apply<'facts'>({ op: 'facts', messageId: 'nobody' })).toEqual({ facts: undefined, conversationId: '', direction: 'out' });
    });
  });

  describe('hops', () => {
    it('come in order with what they have', () => {
      const hops = [{ kind: 'saved', atMs: 1 }, { kind: 'tried', atMs: 2, relay: 'r', path: 'direct', reason: 'relay-full' }, { kind: 'held', atMs: 3, relay: 'r', untilMs: 9 }] as const;
      commit(...hops.map((hop) => ({ kind: 'add-hop', messageId: 'm', hop }) as const), { kind: 'add-hop', messageId: 'n', hop: { kind: 'saved', atMs: 1 } });
      expect(store.query<'hops'>({ query: 'hops', messageId: 'm' }).hops).toEqual(hops);
    });
    it('are bounded: the oldest tries go', () => {
      commit({ kind: 'add-hop', messageId: 'm', hop: { kind: 'saved', atMs: 0 } });
      for (let atMs = 1; atMs <= 520; atMs += 1) commit({ kind: 'add-hop', messageId: 'm', hop: { kind: 'tried', atMs } });
      const { hops } = store.query<'hops'>({ query: 'hops', messageId: 'm' });
      expect(hops).toHaveLength(500);
      expect(hops.slice(0, 2)).toEqual([{ kind: 'saved', atMs: 0 }, { kind: 'tried', atMs: 22 }]);
    });
  });

  describe('the order of display', () => {
    it('is that of arrival, and a late letter is inserted at its place in its sender\'s sequence', () => {
      put(message('a1', 1), message('mine1', 1, { direction: 'out', senderDevice: 'mine' }), message('a4', 4), message('mine2', 2, { direction: 'out', senderDevice: 'mine' }));
      expect(shown()).toBe('a1 mine1 a4 mine2');
      put(message('a3', 3));
      put(message('a2', 2));
      put(message('a5', 5));
      expect(shown()).toBe('a1 mine1 a2 a3 a4 mine2 a5');
    });
    it('says how many letters are missing directly before each', () => {
      put(message('a3', 3), message('a7', 7), message('mine', 5, { direction: 'out', senderDevice: 'mine' }));
      expect(page().messages.map((row) => [row.id, row.missingBefore])).toEqual([['a3', 2], ['a7', 3], ['mine', 0]]);
      put(message('a6', 6));
      expect(page().messages.map((row) => [row.id, row.missingBefore])).toEqual([['a3', 2], ['a6', 2], ['a7', 0], ['mine', 0]]);
    });
    it('does not change a message that is put again', () => {
      put(message('a', 1), message('b', 2));
      const [before] = page().messages;
      put(message('a', 1, { text: 'changed', facts: { readAtMs: 5 } }));
      expect(page().messages[0]).toEqual(before);
    });
    it('can be read whatever time and sequence the sender claims', () => {
      put(message('a', Number.MAX_SAFE_INTEGER, { sentAtMs: Number.MAX_SAFE_INTEGER, expiresAtMs: Number.MAX_SAFE_INTEGER + 2_592_000_000 }), message('b', 1));
      expect(page().messages.map((row) => [row.id, row.sentAtMs, row.expiresAtMs])).toEqual([['b', 10, 30], ['a', 8.64e15, 8.64e15]]);
    });
    it('holds for any order of arrival of any number of senders', () => {
      fc.assert(fc.property(fc.shuffledSubarray(Array.from({ length: 24 }, (_, index) => index), { minLength: 1 }), (arrivals) => {
        const { database: fresh } = openDatabase({ path: memoryPath, migrations: visorMigrations, wallMs: () => 0 });
        const checked = new SqliteVisorStore(fresh, cipher, () => nowMs);
        for (const arrival of arrivals) {
          checked.apply<'commit'>({ op: 'commit', changes: [{ kind: 'put-message', row: message(String(arrival), 1 + Math.floor(arrival / 3), { senderDevice: `d${String(arrival % 3)}` }) }] });
        }
        const rows = checked.query<'page'>({ query: 'page', conversationId, beforeRow: undefined, limit: 100 }).messages;
        expect(rows).toHaveLength(arrivals.length);
        for (const sender of ['d0', 'd1', 'd2']) {
          const sequences = rows.filter((row) => row.senderDevice === sender).map((row) => row.sequence);
          expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
        }
        expect(checked.query<'inbox'>({ query: 'inbox', afterRow: 0, limit: 100 }).messages.map((row) => row.id)).toEqual(arrivals.map(String));
        fresh.close();
      }), { numRuns: 40 });
    });
  });

  describe('what is published', () => {
    const row: PublishedRow = { path: 'docs/read-me.txt', content: { root: bytes(0xc1, 32), length: 5_000 }, mediaType: 'text/plain', sequence: 7, notAfterSeconds: 9, publishedAtMs: 11 };
    const withdrawn: PublishedRow = { ...row, path: 'gone', content: undefined, mediaType: '' };

    it('is loaded by name, replaced and forgotten', () => {
      commit({ kind: 'put-published', row: withdrawn }, { kind: 'put-published', row });
      expect(load().published).toEqual([row, withdrawn]);
      commit({ kind: 'put-published', row: { ...row, sequence: 8 } }, { kind: 'delete-published', path: 'gone' });
      expect(load().published).toEqual([{ ...row, sequence: 8 }]);
    });
    it.each([["path = '../x'"], ['length = 0'], ["media_type = 'no type'"], ["root = x'00'"]])('is damaged with %s', (change) => {
      commit({ kind: 'put-published', row });
      database.exec(`UPDATE published SET ${change}`);
      expect(load).toThrow(WaypostError);
    });
  });

  describe('queries', () => {
    it('page backwards without gap or repetition, also across late letters', () => {
      for (const sequence of [1, 2, 9, 10, 5, 4, 8, 3, 11]) put(message(`a${String(sequence)}`, sequence));
      const seen: string[] = [];
      let beforeRow: number | undefined;
      for (;;) {
        const { messages, more } = page(2, beforeRow);
        seen.unshift(...messages.map((row) => row.id));
        if (!more) break;
        beforeRow = messages[0]?.row;
      }
      expect(seen.join(' ')).toBe('a1 a2 a3 a4 a5 a8 a9 a10 a11');
    });
    it('give the inbox in order of arrival, a late letter last, without our own', () => {
      put(message('a2', 2), message('mine', 1, { direction: 'out', senderDevice: 'mine' }), message('a1', 1));
      const first = store.query<'inbox'>({ query: 'inbox', afterRow: 0, limit: 1 }).messages;
      expect(first.map((row) => row.id)).toEqual(['a2']);
      expect(store.query<'inbox'>({ query: 'inbox', afterRow: first[0]?.row ?? 0, limit: 9 }).messages.map((row) => row.id)).toEqual(['a1']);
    });
    it('find one message or none', () => {
      put(message('a', 1));
      expect(store.query<'message'>({ query: 'message', messageId: 'a' }).message).toMatchObject({ id: 'a', text: 'text of a', receivedAtMs: 20 });
      expect(store.query<'message'>({ query: 'message', messageId: 'b' })).toEqual({ message: undefined });
    });
    it('summarise each conversation: unread incoming, and the last as shown', () => {
      commit({ kind: 'put-conversation', row: conversation }, { kind: 'put-conversation', row: { ...conversation, id: 'empty', lastActivityMs: 1 } });
      put(message('a1', 1), message('a3', 3), message('mine', 1, { direction: 'out', senderDevice: 'mine' }));
      const summaries = () => store.query<'summaries'>({ query: 'summaries' }).summaries.map(({ conversationId: id, unread, last }) => [id, unread, last?.id]);
      expect(summaries()).toEqual([[conversationId, 2, 'mine'], ['empty', 0, undefined]]);
      commit({ kind: 'put-conversation', row: { ...conversation, readUpToRow: 3 } });
      expect(summaries()[0]).toEqual([conversationId, 0, 'mine']);
      put(message('a2', 2));
      expect(summaries()[0]).toEqual([conversationId, 1, 'mine']);
    });

    it('summarise only the conversations that are asked for, in that order; unknown ones are left out', () => {
      for (const [index, id] of ['one', 'two', 'three'].entries()) commit({ kind: 'put-conversation', row: { ...conversation, id, lastActivityMs: index } });
      put(message('m1', 1, { conversationId: 'one' }), message('m2', 1, { conversationId: 'two' }), message('m3', 1, { conversationId: 'three' }));
      const of = (...conversationIds: readonly string[]) => {
        return store.query<'summaries'>({ query: 'summaries', conversationIds }).summaries.map(({ conversationId: id, unread, last }) => [id, unread, last?.id]);
      };
      expect(of('three', 'nobody', 'one')).toEqual([['three', 1, 'm3'], ['one', 1, 'm1']]);
      expect(of()).toEqual([]);
    });
  });
});
