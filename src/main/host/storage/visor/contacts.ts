/** Contacts and conversations, and the static keys learned of peers. */
import type { ContactRow, ConversationRow, PeerKeyRow } from '../../../engine/mail/visor-store.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';
import { parseRelays, standings } from './codecs.ts';
import type { SealedColumns } from './sealed-columns.ts';

export class Contacts {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;

  constructor(statements: Statements, sealed: SealedColumns) {
    this.#statements = statements;
    this.#sealed = sealed;
  }

  putContact(row: ContactRow): void {
    this.#statements
      .get(`INSERT OR REPLACE INTO contact (public_key, name, standing, granted_token_sealed, deposit_token_sealed, relays, identity_record, prekey_bundle,
          records_fetched_at_ms, introduced_card, added_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(row.publicKey, row.name, row.standing, this.#sealed.sealOptional(row.grantedToken), this.#sealed.sealOptional(row.depositToken),
        JSON.stringify(row.relays.map(({ publicKey, host, port }) => ({ publicKey, host, port }))), row.identityRecord ?? null, row.prekeyBundle ?? null,
        row.recordsFetchedAtMs, row.introducedCard, row.addedAtMs);
  }

  contacts(): readonly ContactRow[] {
    return this.#statements.get('SELECT * FROM contact ORDER BY added_at_ms, public_key').all().map((row) => {
      const reader = new RowReader('contact', row);
      return {
        publicKey: reader.text('public_key'),
        name: reader.text('name'),
        standing: reader.oneOf('standing', standings),
        grantedToken: this.#sealed.openOptional(reader, 'granted_token_sealed'),
        depositToken: this.#sealed.openOptional(reader, 'deposit_token_sealed'),
        relays: reader.json('relays', parseRelays),
        identityRecord: reader.optionalBytes('identity_record'),
        prekeyBundle: reader.optionalBytes('prekey_bundle'),
        recordsFetchedAtMs: reader.integer('records_fetched_at_ms'),
        introducedCard: reader.text('introduced_card'),
        addedAtMs: reader.integer('added_at_ms'),
      };
    });
  }

  putConversation(row: ConversationRow): void {
    this.#statements
      .get('INSERT OR REPLACE INTO conversation (id, public_key, port, next_sequence, read_up_to_row, draft_sealed, last_activity_ms) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(row.id, row.publicKey, row.port, row.nextSequence, row.readUpToRow, this.#sealed.sealText(row.draft), row.lastActivityMs);
  }

  conversations(): readonly ConversationRow[] {
    return this.#statements.get('SELECT * FROM conversation ORDER BY id').all().map((row) => {
      const reader = new RowReader('conversation', row);
      return {
        id: reader.text('id'),
        publicKey: reader.text('public_key'),
        port: reader.integer('port'),
        nextSequence: reader.integer('next_sequence'),
        readUpToRow: reader.integer('read_up_to_row'),
        draft: this.#sealed.openText(reader, 'draft_sealed'),
        lastActivityMs: reader.integer('last_activity_ms'),
      };
    });
  }

  putPeerKey(row: PeerKeyRow): void {
    this.#statements.get('INSERT OR REPLACE INTO peer_key (public_key, x25519) VALUES (?, ?)').run(row.publicKey, row.x25519);
  }

  peerKeys(): readonly PeerKeyRow[] {
    return this.#statements.get('SELECT public_key, x25519 FROM peer_key ORDER BY public_key').all().map((row) => {
      const reader = new RowReader('peer_key', row);
      return { publicKey: reader.text('public_key'), x25519: reader.bytes('x25519') };
    });
  }
}
