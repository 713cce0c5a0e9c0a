/** What belongs to this install: its relays, invite links and small named values. */
import type { InviteRow, RelayRow } from '../../../engine/mail/visor-store.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';

const roles = ['own', 'local', 'friend'] as const satisfies readonly RelayRow['role'][];
const choices = ['normal', 'pinned', 'banned'] as const satisfies readonly RelayRow['choice'][];

export class OwnRows {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  putRelay(row: RelayRow): void {
    this.#statements
      .get('INSERT OR REPLACE INTO relay (public_key, host, port, role, epoch, cursor, added_at_ms, leaving_since_ms, choice, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(row.publicKey, row.host, row.port, row.role, row.epoch ?? null, row.cursor, row.addedAtMs, row.leavingSinceMs ?? null, row.choice, row.rank ?? null);
  }

  deleteRelay(publicKey: string): void {
    this.#statements.get('DELETE FROM relay WHERE public_key = ?').run(publicKey);
  }

  relays(): readonly RelayRow[] {
    return this.#statements.get('SELECT * FROM relay ORDER BY added_at_ms, public_key').all().map((row) => {
      const reader = new RowReader('relay', row);
      return {
        publicKey: reader.text('public_key'),
        host: reader.text('host'),
        port: reader.integer('port'),
        role: reader.oneOf('role', roles),
        epoch: reader.optionalBytes('epoch'),
        cursor: reader.integer('cursor'),
        addedAtMs: reader.integer('added_at_ms'),
        leavingSinceMs: reader.optionalInteger('leaving_since_ms'),
        choice: reader.oneOf('choice', choices),
        rank: reader.optionalInteger('place'),
      };
    });
  }

  putInvite(row: InviteRow): void {
    this.#statements.get('INSERT OR REPLACE INTO invite (token, created_at_ms, revoked) VALUES (?, ?, ?)').run(row.token, row.createdAtMs, row.revoked ? 1 : 0);
  }

  invites(): readonly InviteRow[] {
    return this.#statements.get('SELECT token, created_at_ms, revoked FROM invite ORDER BY created_at_ms, token').all().map((row) => {
      const reader = new RowReader('invite', row);
      return { token: reader.bytes('token'), createdAtMs: reader.integer('created_at_ms'), revoked: reader.integer('revoked') === 1 };
    });
  }

  putValue(key: string, value: string): void {
    this.#statements.get('INSERT OR REPLACE INTO value (key, value) VALUES (?, ?)').run(key, value);
  }

  values(): ReadonlyMap<string, string> {
    return new Map(this.#statements.get('SELECT key, value FROM value ORDER BY key').all().map((row) => {
      const reader = new RowReader('value', row);
      return [reader.text('key'), reader.text('value')];
    }));
  }
}
