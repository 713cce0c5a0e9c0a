/**
 * All live rows of a visor, loaded once and written through. A change is applied here at the moment it is sent to the store, so that the
 * next decision builds on it; nothing leaves the engine before the commit came back. When a commit fails the engine is thrown
 * away and loaded again, so memory and disk cannot drift apart.
 */
import { defaultSettings } from './settings.ts';
import type { Settings } from '../../../shared/views.ts';
import type { ContactRow, ConversationRow, DeviceRow, FileRow, InviteRow, LetterFacts, OutboxRow, PrekeyRow, PublishedRow, RelayRow, VisorChange, VisorState } from './visor-store.ts';
import { toHex } from '../wire/bytes.ts';

export class VisorMemory {
  device: DeviceRow | undefined;
  readonly contacts = new Map<string, ContactRow>();
  readonly conversations = new Map<string, ConversationRow>();
  readonly outbox = new Map<string, OutboxRow>();
  /** Facts of live letters as committed: what may be shown, since a person must never see what a power cut would take back. */
  readonly durableFacts = new Map<string, LetterFacts>();
  /** Files that move, may still be asked for, or have a copy here, by message and in the order of those; others that are done stay until the next start. */
  readonly files = new Map<string, FileRow>();
  /** What is published, by name. */
  readonly published = new Map<string, PublishedRow>();
  /** Own relays, also those that are being left; a banned one is not among them, so that nothing here can use it. */
  readonly relays = new Map<string, RelayRow>();
  readonly bannedRelays = new Map<string, RelayRow>();
  /** Changes with the set of the banned ones. */
  bansVersion = 0;
  readonly invites = new Map<string, InviteRow>();
  readonly prekeys = new Map<number, PrekeyRow>();
  /** X25519 static keys of peers by identity, for IK handshakes. */
  readonly peerKeys = new Map<string, Uint8Array>();
  readonly values: Map<string, string>;
  settings: Settings;

  constructor(state: VisorState) {
    this.device = state.device;
    for (const row of state.contacts) this.contacts.set(row.publicKey, row);
    for (const row of state.conversations) this.conversations.set(row.id, row);
    for (const row of state.outbox) { this.outbox.set(row.id, row); this.durableFacts.set(row.id, row.facts); }
    for (const row of state.files) this.files.set(row.messageId, row);
    for (const row of state.published) this.published.set(row.path, row);
    for (const row of state.relays) (row.choice === 'banned' ? this.bannedRelays : this.relays).set(row.publicKey, row);
    for (const row of state.invites) this.invites.set(toHex(row.token), row);
    for (const row of state.prekeys) this.prekeys.set(row.prekeyId, row);
    for (const row of state.peerKeys) this.peerKeys.set(row.publicKey, row.x25519);
    this.values = new Map(state.values);
    this.settings = defaultSettings(this.values);
  }

  apply(change: VisorChange): void {
    switch (change.kind) {
      // Messages and hops live on disk only.
      case 'put-message': case 'set-facts': case 'add-hop': return;
      case 'put-outbox': this.outbox.set(change.row.id, change.row); return;
      case 'delete-outbox': this.outbox.delete(change.id); return;
      case 'put-file': this.files.set(change.row.messageId, change.row); return;
      case 'put-published': this.published.set(change.row.path, change.row); return;
      case 'delete-published': this.published.delete(change.path); return;
      case 'put-contact': this.contacts.set(change.row.publicKey, change.row); return;
      case 'put-conversation': this.conversations.set(change.row.id, change.row); return;
      case 'put-relay': this.#putRelay(change.row); return;
      case 'delete-relay': this.relays.delete(change.publicKey); if (this.bannedRelays.delete(change.publicKey)) this.bansVersion += 1; return;
      case 'put-invite': this.invites.set(toHex(change.row.token), change.row); return;
      case 'put-prekey': this.prekeys.set(change.row.prekeyId, change.row); return;
      case 'delete-prekey': this.prekeys.delete(change.prekeyId); return;
      case 'put-device': this.device = change.row; return;
      case 'put-peer-key': this.peerKeys.set(change.row.publicKey, change.row.x25519); return;
      case 'put-value': this.values.set(change.key, change.value); this.settings = defaultSettings(this.values); return;
    }
  }

  #putRelay(row: RelayRow): void {
    const isBanned = row.choice === 'banned';
    if (isBanned !== this.bannedRelays.has(row.publicKey)) this.bansVersion += 1;
    (isBanned ? this.relays : this.bannedRelays).delete(row.publicKey);
    (isBanned ? this.bannedRelays : this.relays).set(row.publicKey, row);
  }

  /**
   * Applies changes that the store may turn down (a letter seen before). What comes back undoes them, as far as nothing was built on them since:
   * a row that was is on the disk by then.
   */
  applyTentatively(changes: readonly VisorChange[]): () => void {
    const undo: (() => void)[] = [];
    for (const change of changes) {
      if (change.kind === 'put-contact') undo.push(this.#undo(this.contacts, change.row.publicKey, change.row));
      else if (change.kind === 'put-conversation') undo.push(this.#undo(this.conversations, change.row.id, change.row));
      else if (change.kind === 'put-file') undo.push(this.#undo(this.files, change.row.messageId, change.row));
      else if (change.kind === 'put-value') undo.push(this.#undo(this.values, change.key, change.value));
      this.apply(change);
    }
    return () => { for (const one of undo.reverse()) one(); };
  }

  #undo<Value>(rows: Map<string, Value>, key: string, after: Value): () => void {
    const before = rows.get(key);
    return () => {
      if (rows.get(key) !== after) return;
      if (before === undefined) rows.delete(key);
      else rows.set(key, before);
    };
  }

  /** The change is on the disk. */
  committed(change: VisorChange): void {
    if (change.kind === 'put-outbox') this.durableFacts.set(change.row.id, change.row.facts);
    else if (change.kind === 'delete-outbox') this.durableFacts.delete(change.id);
  }

  /** A whole number kept under a name; 0 when there is none or it does not parse. */
  numberValue(key: string): number {
    const value = Number(this.values.get(key) ?? '0');
    return Number.isSafeInteger(value) ? value : 0;
  }
}
