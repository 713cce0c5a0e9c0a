/** For tests: the parts of an engine that presenting needs, as plain data that a test changes as it likes. */
import { initialSettings, type ConversationView, type Settings } from '../../../shared/views.ts';
import type { EngineInspection, FileStatus, OutboxStatus, RelayStatus } from '../../engine/inspection-types.ts';
import type { ContactRow, ConversationRow, FileRow, OutboxRow, RelayRow, StoredMessage } from '../../engine/mail/visor-store.ts';
import { encodeContent } from '../../engine/wire/content.ts';
import { identityPublicKey } from '../../engine/wire/identity.ts';

export const keyOf = (number: number): string => identityPublicKey(new Uint8Array(32).fill(number));

export function contactRow(publicKey: string, name: string, standing: ConversationView['standing'] = 'contact'): ContactRow {
  return {
    publicKey, name, standing, grantedToken: undefined, depositToken: undefined, relays: [], identityRecord: undefined, prekeyBundle: undefined,
    recordsFetchedAtMs: 0, introducedCard: '', addedAtMs: 0,
  };
}

export const conversationRow = (publicKey: string): ConversationRow =>
  ({ id: `${publicKey}:1`, publicKey, port: 1, nextSequence: 1, readUpToRow: 0, draft: '', lastActivityMs: 1_000 });

export function outboxStatus(id: string, recipient: string, text: string): OutboxStatus {
  const row: OutboxRow = {
    id, recipient, destinationPort: 1, sourcePort: 1, kind: 'message', content: encodeContent({ kind: 'text', text }), sequence: 1, queuedAtMs: 1_000,
    expiresAtMs: 2_000, ttlSeconds: 60, attempts: 0, lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
  };
  return { row, headline: { state: 'queued' }, nextTryWallMs: undefined };
}

export function relayStatus(publicKey: string, roundTripsMs: readonly (number | undefined)[] = []): RelayStatus {
  const row: RelayRow = { publicKey, host: 'relay.example', port: 7_400, role: 'own', epoch: undefined, cursor: 0, addedAtMs: 0, leavingSinceMs: undefined, choice: 'normal', rank: undefined };
  return { row, state: 'connected', isOverTcp: false, problem: '', leavingUntilWallMs: undefined, sinceWallMs: 1_000, lastHeardWallMs: 1_500.4, roundTripsMs, waitingLetters: 0, tests: undefined, place: 0, isTold: true, mailbox: undefined, capabilities: [], trial: undefined, carrier: undefined };
}

export function storedMessage(id: string, conversationId: string, row: number, direction: 'in' | 'out' = 'in', text = `text ${id}`): StoredMessage {
  return { id, conversationId, row, direction, text, sentAtMs: 1_000, receivedAtMs: 1_001, expiresAtMs: 2_000, senderDevice: '00', sequence: row, facts: {}, missingBefore: 0, file: undefined };
}

/** A file of 100,000 bytes, with the tags of its two segments. */
export function fileRow(messageId: string, conversationId: string, direction: 'in' | 'out' = 'in', name = 'holiday.jpg'): FileRow {
  return {
    messageId, conversationId, direction, name, mediaType: 'image/jpeg', key: new Uint8Array(32).fill(1), sizeBytes: 100_000, root: new Uint8Array(32).fill(2),
    blobBytes: 100_032, stage: 'wanted', failure: undefined, heldBy: [], expiresAtMs: 2_000,
  };
}

export class FakeInspection implements EngineInspection {
  readonly publicKey = keyOf(1);
  name = 'Ann';
  wordsConfirmed = false;
  settings: Settings = initialSettings;
  notices: readonly string[] = [];
  network: EngineInspection['network'] = undefined;
  lan: EngineInspection['lan'] = undefined;
  connection: EngineInspection['connection'] = { kind: 'online', relaysConnected: 1, relaysConfigured: 1, waitingMessages: 0 };
  readonly contacts = new Map<string, ContactRow>();
  readonly conversations = new Map<string, ConversationRow>();
  relays: readonly RelayStatus[] = [];
  peers: EngineInspection['peers'] = [];
  soughtPeers: EngineInspection['soughtPeers'] = [];
  readonly items = new Map<string, OutboxStatus>();
  counters = {};
  sessions = 0;
  expirySuspended = false;
  readonly files = new Map<string, FileStatus>();
  outbox(): readonly OutboxStatus[] { return [...this.items.values()]; }
  outboxItem(messageId: string): OutboxStatus | undefined { return this.items.get(messageId); }
  headline(): ReturnType<EngineInspection['headline']> { return { state: 'queued' }; }
  readonly limits = new Map<string, number>();
  relayHoldsBytes(publicKey: string): number | undefined { return this.limits.get(publicKey); }
  published(): ReturnType<EngineInspection['published']> { return []; }
  namedFetch(): ReturnType<EngineInspection['namedFetch']> { return undefined; }
  fileStatus(row: FileRow): FileStatus { return this.files.get(row.messageId) ?? { state: { state: 'waiting', reason: 'not-asked', doneBytes: 0 }, holders: [] }; }
}
