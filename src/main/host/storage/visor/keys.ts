/** The device of this install, its prekeys, and which messages were committed before. A prekey and the memory of what was sealed to it go together. */
import type { DeviceRow, PrekeyRow, VisorRequest } from '../../../engine/mail/visor-store.ts';
import { RowReader } from '../row.ts';
import type { Statements } from '../statements.ts';
import type { SealedColumns } from './sealed-columns.ts';

type UnlessSeen = NonNullable<Extract<VisorRequest, { op: 'commit' }>['unlessSeen']>;

export class Keys {
  readonly #statements: Statements;
  readonly #sealed: SealedColumns;

  constructor(statements: Statements, sealed: SealedColumns) {
    this.#statements = statements;
    this.#sealed = sealed;
  }

  putDevice(row: DeviceRow): void {
    this.#statements
      .get('INSERT OR REPLACE INTO device (only, device_id, x25519_secret_sealed, ed25519_seed_sealed, certificate, reset_secret_sealed) VALUES (1, ?, ?, ?, ?, ?)')
      .run(row.deviceId, this.#sealed.seal(row.x25519Secret), this.#sealed.seal(row.ed25519Seed), row.certificate, this.#sealed.seal(row.resetSecret));
  }

  device(): DeviceRow | undefined {
    const row = this.#statements.get('SELECT * FROM device').get();
    if (row === undefined) return undefined;
    const reader = new RowReader('device', row);
    return {
      deviceId: reader.text('device_id'),
      x25519Secret: this.#sealed.open(reader, 'x25519_secret_sealed'),
      ed25519Seed: this.#sealed.open(reader, 'ed25519_seed_sealed'),
      certificate: reader.bytes('certificate'),
      resetSecret: this.#sealed.open(reader, 'reset_secret_sealed'),
    };
  }

  putPrekey(row: PrekeyRow): void {
    this.#statements
      .get('INSERT OR REPLACE INTO prekey (prekey_id, secret_key_sealed, bundle, created_at_ms, superseded_at_ms) VALUES (?, ?, ?, ?, ?)')
      .run(row.prekeyId, this.#sealed.seal(row.secretKey), row.bundle, row.createdAtMs, row.supersededAtMs ?? null);
  }

  /** Without the key no repeat can be opened, so its dedupe rows are no longer needed; not a moment earlier. */
  deletePrekey(prekeyId: number): void {
    this.#statements.get('DELETE FROM prekey WHERE prekey_id = ?').run(prekeyId);
    this.#statements.get('DELETE FROM seen WHERE prekey_id = ?').run(prekeyId);
  }

  prekeys(): readonly PrekeyRow[] {
    return this.#statements.get('SELECT * FROM prekey ORDER BY created_at_ms, prekey_id').all().map((row) => {
      const reader = new RowReader('prekey', row);
      return {
        prekeyId: reader.integer('prekey_id'),
        secretKey: this.#sealed.open(reader, 'secret_key_sealed'),
        bundle: reader.bytes('bundle'),
        createdAtMs: reader.integer('created_at_ms'),
        supersededAtMs: reader.optionalInteger('superseded_at_ms'),
      };
    });
  }

  /** False when it was there already. */
  rememberSeen({ sender, messageId, prekeyId }: UnlessSeen): boolean {
    return this.#statements.get('INSERT INTO seen (sender, message_id, prekey_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(sender, messageId, prekeyId).changes > 0;
  }
}
