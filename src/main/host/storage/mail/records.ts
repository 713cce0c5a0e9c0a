/** Signed records that the relay serves: identity records, prekey bundles, and named records in a table of their own. The engine has checked the signatures; here only the order counts. */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { RowReader, bytesOfHex, sameBytes } from '../row.ts';
import type { Statements } from '../statements.ts';

interface StoredRecord { readonly sequence: number; readonly bytes: Uint8Array }

export class Records {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Two different records with one sequence: the first stays (`stale`), else a record could be swapped for ever. */
  put(request: Extract<MailRequest, { op: 'put-record' }>): MailResults['put-record'] {
    const { kind, identity, path = '', sequence, notAfterSeconds, bytes, most } = request;
    const stored = this.#find(request);
    if (stored !== undefined && sequence <= stored.sequence) {
      return { outcome: sequence === stored.sequence && sameBytes(stored.bytes, bytes) ? 'unchanged' : 'stale' };
    }
    if (kind === 'named') {
      if (stored === undefined && most !== undefined && this.#count(identity) >= most) return { outcome: 'quota' };
      this.#statements.get('INSERT OR REPLACE INTO named_record (identity, path, sequence, not_after_seconds, bytes) VALUES (?, ?, ?, ?, ?)')
        .run(bytesOfHex(identity), path, sequence, notAfterSeconds, bytes);
      return { outcome: 'stored' };
    }
    this.#statements
      .get('INSERT OR REPLACE INTO record (kind, identity, device, sequence, not_after_seconds, bytes) VALUES (?, ?, ?, ?, ?, ?)')
      .run(kind, bytesOfHex(identity), bytesOfHex(request.deviceId), sequence, notAfterSeconds, bytes);
    return { outcome: 'stored' };
  }

  get(request: Extract<MailRequest, { op: 'get-record' }>): MailResults['get-record'] {
    return this.#find(request) ?? { bytes: undefined, sequence: 0 };
  }

  /** First those that ended first. */
  expire({ nowSeconds, most }: Extract<MailRequest, { op: 'expire-records' }>): MailResults['expire-records'] {
    const expired = this.#statements
      .get('DELETE FROM named_record WHERE (identity, path) IN (SELECT identity, path FROM named_record WHERE not_after_seconds <= ? ORDER BY not_after_seconds LIMIT ?)')
      .run(nowSeconds, most).changes;
    return { expired, more: expired >= most && this.#statements.pluck('SELECT 1 FROM named_record WHERE not_after_seconds <= ? LIMIT 1').get(nowSeconds) !== undefined };
  }

  #count(identity: string): number {
    return new RowReader('named_record', this.#statements.get('SELECT count(*) AS count FROM named_record WHERE identity = ?').get(bytesOfHex(identity))).integer('count');
  }

  #find({ kind, identity, deviceId, path = '' }: Extract<MailRequest, { op: 'get-record' }> | Extract<MailRequest, { op: 'put-record' }>): StoredRecord | undefined {
    const row = kind === 'named'
      ? this.#statements.get('SELECT sequence, bytes FROM named_record WHERE identity = ? AND path = ?').get(bytesOfHex(identity), path)
      : this.#statements.get('SELECT sequence, bytes FROM record WHERE kind = ? AND identity = ? AND device = ?').get(kind, bytesOfHex(identity), bytesOfHex(deviceId));
    if (row === undefined) return undefined;
    const reader = new RowReader('record', row);
    return { sequence: reader.integer('sequence'), bytes: reader.bytes('bytes') };
  }
}
